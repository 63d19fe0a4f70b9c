package io.lightmill.pipeline.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ImageStoreOnS3Test {

  private static final String KEY = "images/ab/abcd.png";
  private static final String OBJECT = "/shop/out/images/ab/abcd.png";
  private static final byte[] PICTURE = "the picture".getBytes(UTF_8);

  private S3Endpoint s3;
  private ImageStore store;

  @BeforeEach
  void open() throws IOException {
    s3 = new S3Endpoint();
    store = ImageStore.open("s3a://shop/out", s3.configuration());
  }

  @AfterEach
  void close() {
    s3.close();
  }

  @Test
  void anImageIsOnePut() {
    StoredObject stored = store.put(KEY, PICTURE, "image/png");

    assertThat(stored.path()).isEqualTo("s3a://shop/out/" + KEY);
    assertThat(s3.changes()).containsExactly("PUT " + OBJECT);
    assertThat(s3.object(OBJECT)).isEqualTo(PICTURE);
    assertThat(s3.contentType(OBJECT)).isEqualTo("image/png");
  }

  @Test
  void readsBackWhatExists() {
    assertThat(store.read(KEY)).isEmpty();

    store.put(KEY, PICTURE, "image/png");

    assertThat(store.exists(KEY)).isTrue();
    assertThat(store.read(KEY)).hasValueSatisfying(bytes -> assertThat(bytes).isEqualTo(PICTURE));
  }

  @Test
  void aBucketThatRefusesIsToldBeforeAnyWork() {
    s3.denyChanges();

    assertThatThrownBy(() -> store.probeWritable())
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_UNWRITABLE))
        .hasMessageStartingWith("Output s3a://shop/out cannot be written: ")
        .hasMessageContaining("AccessDenied");
    assertThatThrownBy(() -> store.put(KEY, PICTURE, "image/png"))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED));
    assertThat(s3.object(OBJECT)).isNull();
  }
}
