package io.lightmill.udfs.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.s3.FaultyLink;
import io.lightmill.s3.FaultyLink.Fault;
import io.lightmill.s3.S3Server;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource(S3Server.Software.class)
class ImageStoreOnS3Test {

  private static final byte[] IMAGE = "the image".getBytes(UTF_8);
  private static final byte[] OTHER = "another image".getBytes(UTF_8);
  private static final AtomicInteger ROOTS = new AtomicInteger();

  private static S3Server s3;
  private final String root = "out" + ROOTS.incrementAndGet();
  private final String key = "images/ab/abcd.png";
  private final String object = root + "/" + key;
  @Parameter S3Server.Software software;
  private FaultyLink link;
  private ImageStore store;

  @BeforeParameterizedClassInvocation
  static void start(S3Server.Software software) throws Exception {
    s3 = S3Server.start(software);
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    s3.close();
  }

  @BeforeEach
  void open() throws Exception {
    link = new FaultyLink(s3.endpoint());
    store = ImageStore.open(s3.uri(root), s3.configuration(link.endpoint()));
  }

  @AfterEach
  void close() {
    link.close();
  }

  @Test
  void anImageOfKnownLengthIsReadInOneCall() {
    store.put(key, IMAGE, "image/png");
    int before = link.calls().size();

    assertThat(store.read(key, IMAGE.length)).hasValue(IMAGE);
    assertThat(link.calls()).hasSize(before + 1);
    assertThat(store.read(key, IMAGE.length + 5)).hasValue(IMAGE);
    assertThat(store.read("images/none.png", 5)).isEmpty();
  }

  @Test
  void anImageIsOnePut() throws Exception {
    StoredObject stored = store.put(key, IMAGE, "image/png");

    assertThat(stored.path()).isEqualTo(s3.uri(object));
    assertThat(link.changes()).containsExactly(put());
    assertThat(s3.object(object)).isEqualTo(IMAGE);
    assertThat(s3.contentType(object)).isEqualTo("image/png");
  }

  @Test
  void putOnceIsOneConditionalPutWithoutALookUp() throws Exception {
    StoredObject stored = store.putOnce(key, IMAGE, "image/png", found -> false);

    assertThat(stored.bytes()).isEqualTo(IMAGE.length);
    assertThat(link.calls()).hasToString("[" + put() + "]");
    assertThat(s3.object(object)).isEqualTo(IMAGE);
    assertThat(s3.contentType(object)).isEqualTo("image/png");
  }

  @Test
  void readsBackWhatExists() {
    assertThat(store.read(key)).isEmpty();
    assertThat(store.find(key)).isEmpty();

    store.put(key, IMAGE, "image/png");

    assertThat(store.read(key)).hasValueSatisfying(bytes -> assertThat(bytes).isEqualTo(IMAGE));
    assertThat(store.find(key))
        .hasValueSatisfying(found -> assertThat(found.bytes()).isEqualTo(IMAGE));
  }

  @ParameterizedTest
  @EnumSource(
      value = Fault.class,
      names = {"SLOW_DOWN", "DROPPED_BEFORE", "DROPPED_AFTER", "SLOW"})
  void aFailedCallIsRetriedAndStoresOneObject(Fault fault) throws Exception {
    link.failing(once(fault));

    StoredObject stored = store.putOnce(key, IMAGE, "image/png", found -> false);

    assertThat(stored).isEqualTo(store.put(key, IMAGE, "image/png"));
    assertThat(s3.object(object)).isEqualTo(IMAGE);
  }

  @Test
  void anImageWhoseResponseWasLostIsNotWrittenTwice() {
    link.failing(once(Fault.DROPPED_AFTER));

    store.putOnce(key, IMAGE, "image/png", found -> false);

    assertThat(link.changes()) // the second is refused with 412, and the image is read back
        .containsExactly(put(), put());
  }

  @ParameterizedTest
  @CsvSource({"NONE", "DROPPED_AFTER"})
  void createSucceedsForOneWriterDespiteFailures(Fault fault) throws Exception {
    link.failing(once(fault));

    assertThat(store.create(key, IMAGE, "image/png")).isPresent();
    assertThat(store.create(key, OTHER, "image/png")).isEmpty();
    assertThat(s3.object(object)).isEqualTo(IMAGE);
  }

  @Test
  void anEquivalentExistingImageIsKept() throws Exception {
    store.put(key, OTHER, "image/png");

    StoredObject stored = store.putOnce(key, IMAGE, "image/png", found -> true);

    assertThat(stored.bytes()).isEqualTo(OTHER.length);
    assertThat(s3.object(object)).isEqualTo(OTHER);
  }

  @Test
  void aDifferentImageIsReplaced() throws Exception {
    store.put(key, OTHER, "image/png");

    StoredObject stored = store.putOnce(key, IMAGE, "image/png", found -> false);

    assertThat(stored.bytes()).isEqualTo(IMAGE.length);
    assertThat(s3.object(object)).isEqualTo(IMAGE);
  }

  @Test
  void theSecondOfTwoConcurrentReplacementsSeesTheFirst() throws Exception {
    store.put(key, OTHER, "image/png");

    StoredObject stored =
        store.putOnce(
            key,
            IMAGE,
            "image/png",
            found -> {
              boolean fromOther = new String(found.bytes(), UTF_8).equals("of another writer");
              if (!fromOther) { // the other writer comes between read and write
                store.put(key, "of another writer".getBytes(UTF_8), "image/png");
              }
              return fromOther;
            });

    assertThat(stored.bytes()).isEqualTo("of another writer".length());
    assertThat(s3.object(object)).asString(UTF_8).isEqualTo("of another writer");
  }

  @Test
  void oneCallListsManyObjects() {
    for (String name : List.of("images/ab/abcd.png", "images/cd/cdef.png", "images/top.png")) {
      store.put(name, IMAGE, "image/png");
    }
    int before = link.calls().size();

    assertThat(store.listing().objects("images"))
        .extracting(ListedObject::key, ListedObject::bytes)
        .containsExactlyInAnyOrder(
            tuple("images/ab/abcd.png", 9L),
            tuple("images/cd/cdef.png", 9L),
            tuple("images/top.png", 9L));
    assertThat(link.calls().size() - before).isEqualTo(1);
    assertThat(store.listing().children("images"))
        .containsExactly("images/ab", "images/cd", "images/top.png");
    assertThat(store.listing().objects("nothing")).isEmpty();
  }

  @Test
  void anInaccessibleBucketIsReportedBeforeAnyWork() throws Exception {
    link.failing(call -> call.changes() ? Fault.DENIED : Fault.NONE);

    assertThatThrownBy(() -> store.probeWritable(Clock.systemUTC()))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_UNWRITABLE))
        .hasMessageStartingWith("output " + s3.uri(root) + " cannot be written: ")
        .hasMessageContaining("AccessDenied");
    assertThatThrownBy(() -> store.put(key, IMAGE, "image/png"))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED));
    assertThat(s3.has(object)).isFalse();
  }

  private String put() {
    return "PUT /" + s3.bucket() + "/" + object;
  }

  /** Applies a fault to the first call that changes something. */
  private static Function<FaultyLink.Call, Fault> once(Fault fault) {
    AtomicInteger changes = new AtomicInteger();
    return call -> call.changes() && changes.getAndIncrement() == 0 ? fault : Fault.NONE;
  }
}
