package io.pbft.replica.server;

/** A connection that counts how often it was paused and resumed. */
final class CountingFlow implements Admission.Flow {
    int paused;
    int resumed;

    @Override
    public void pause() {
        paused++;
    }

    @Override
    public void resume() {
        resumed++;
    }
}
