package io.lightmill.pipeline.hosted;

import java.net.http.HttpRequest;
import java.nio.ByteBuffer;
import java.util.concurrent.Flow;

/**
 * The body of a request, which records whether any of it was passed to the network: a request
 * without its body has no effect.
 */
final class SentBody implements HttpRequest.BodyPublisher {

  private final HttpRequest.BodyPublisher bytes;
  private final Runnable whenSent;
  private volatile boolean begun;

  /**
   * @param whenSent called when all of it was passed to the network
   */
  SentBody(byte[] bytes, Runnable whenSent) {
    this.bytes = HttpRequest.BodyPublishers.ofByteArray(bytes);
    this.whenSent = whenSent;
  }

  boolean begun() {
    return begun;
  }

  @Override
  public long contentLength() {
    return bytes.contentLength();
  }

  @Override
  public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
    bytes.subscribe(
        new Flow.Subscriber<>() {
          @Override
          public void onSubscribe(Flow.Subscription subscription) {
            subscriber.onSubscribe(subscription);
          }

          @Override
          public void onNext(ByteBuffer item) {
            begun = true;
            subscriber.onNext(item);
          }

          @Override
          public void onError(Throwable failure) {
            subscriber.onError(failure);
          }

          @Override
          public void onComplete() {
            whenSent.run();
            subscriber.onComplete();
          }
        });
  }
}
