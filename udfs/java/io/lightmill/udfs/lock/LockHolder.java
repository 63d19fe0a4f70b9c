package io.lightmill.udfs.lock;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.UUID;

/**
 * The process that holds the lock of an output.
 *
 * @param owner user and host
 * @param process of the driver, on that host
 * @param nonce distinguishes processes that agree in everything else
 */
record LockHolder(
    String runId, String owner, long process, String nonce, Instant since, Instant expires) {

  private static final JsonMapper JSON = new JsonMapper();

  /** This process. */
  static LockHolder ofThisProcess(String runId, Instant since, Instant expires) {
    return new LockHolder(
        runId,
        System.getProperty("user.name") + "@" + host(),
        ProcessHandle.current().pid(),
        UUID.randomUUID().toString(),
        since,
        expires);
  }

  LockHolder until(Instant later) {
    return new LockHolder(runId, owner, process, nonce, since, later);
  }

  boolean isSameProcess(LockHolder other) {
    return nonce.equals(other.nonce);
  }

  byte[] json() {
    ObjectNode json = JSON.createObjectNode();
    json.put("run_id", runId);
    json.put("owner", owner);
    json.put("process", process);
    json.put("nonce", nonce);
    json.put("since", since.toString());
    json.put("expires", expires.toString());
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }

  static LockHolder read(byte[] bytes) {
    try {
      JsonNode json = JSON.readTree(bytes);
      return new LockHolder(
          json.path("run_id").asText(),
          json.path("owner").asText(),
          json.path("process").asLong(),
          json.path("nonce").asText(),
          Instant.parse(json.path("since").asText()),
          Instant.parse(json.path("expires").asText()));
    } catch (IOException | DateTimeException e) {
      throw RunLock.unreadable(e);
    }
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) { // the host cannot resolve its own name
      return "localhost";
    }
  }
}
