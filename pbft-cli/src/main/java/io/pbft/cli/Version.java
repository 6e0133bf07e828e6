package io.pbft.cli;

import picocli.CommandLine.IVersionProvider;

/** The version written into the jar's manifest when it was built; classes run from a directory have none. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {"pbft " + (version == null ? "(not packaged)" : version)};
    }
}
