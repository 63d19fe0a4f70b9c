package io.lightmill.pipeline.hosted;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** An HTTP proxy on loopback that tunnels (CONNECT) and records where to. */
final class TunnelProxy implements AutoCloseable {

  /** Targets of the tunnels, such as {@code localhost:443}. */
  final List<String> targets = new CopyOnWriteArrayList<>();

  private final ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  TunnelProxy() throws IOException {
    threads.execute(this::accept);
  }

  String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        sockets.add(client);
        threads.execute(() -> tunnel(client));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void tunnel(Socket client) {
    try {
      BufferedReader head =
          new BufferedReader(
              new InputStreamReader(client.getInputStream(), StandardCharsets.ISO_8859_1));
      String target = head.readLine().split(" ", -1)[1]; // CONNECT host:port HTTP/1.1
      while (!head.readLine().isEmpty()) {
        // the client sends nothing else before the answer
      }
      targets.add(target);
      int colon = target.lastIndexOf(':');
      Socket endpoint =
          new Socket(target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
      sockets.add(endpoint);
      client.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      threads.execute(() -> copy(endpoint, client));
      copy(client, endpoint);
    } catch (IOException e) {
      // one side went away
    }
  }

  private static void copy(Socket from, Socket to) {
    try {
      from.getInputStream().transferTo(to.getOutputStream());
      to.shutdownOutput();
    } catch (IOException e) {
      // one side went away
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
    threads.shutdownNow();
  }
}
