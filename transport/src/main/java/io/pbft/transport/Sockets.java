package io.pbft.transport;

import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;

/** The operating system's sockets: by Netty's own use of epoll where that works, by the platform's everywhere else. */
final class Sockets {
    private static final boolean EPOLL = Epoll.isAvailable();

    private Sockets() {}

    static IoHandlerFactory ioHandler() {
        return EPOLL ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    }

    static ServerChannel server() {
        return EPOLL ? new EpollServerSocketChannel() : new NioServerSocketChannel();
    }

    static Channel client() {
        return EPOLL ? new EpollSocketChannel() : new NioSocketChannel();
    }
}
