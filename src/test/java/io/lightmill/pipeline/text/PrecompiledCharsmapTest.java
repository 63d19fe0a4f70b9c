package io.lightmill.pipeline.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Injects faults into T5's own map. */
class PrecompiledCharsmapTest {

  private byte[] map;
  private ByteBuffer bytes;

  @BeforeEach
  void read() throws IOException {
    Path file =
        TokenizerCalls.REFERENCE.resolve("flux-schnell/checkpoint/tokenizer_2/tokenizer.json");
    map =
        new ObjectMapper()
            .readTree(file.toFile())
            .at("/normalizer/precompiled_charsmap")
            .binaryValue();
    bytes = ByteBuffer.wrap(map).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Test
  void theMapOfT5IsValid() {
    assertThat(PrecompiledCharsmap.isSound(map)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 4, 1_000, 100_000})
  void aMapThatIsTruncatedInItsTrieIsInvalid(int length) {
    assertThat(PrecompiledCharsmap.isSound(Arrays.copyOf(map, length))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 6, Integer.MAX_VALUE, -4})
  void aTrieOfAnotherLengthIsInvalid(int length) {
    bytes.putInt(0, length);
    assertThat(PrecompiledCharsmap.isSound(map)).isFalse();
  }

  @Test
  void aRootOutsideOfTheTrieIsInvalid() {
    bytes.putInt(Integer.BYTES, 0x7fffff00);
    assertThat(PrecompiledCharsmap.isSound(map)).isFalse();
  }

  @Test
  void aTrieOfNoiseIsInvalid() {
    Arrays.fill(map, Integer.BYTES, Integer.BYTES + bytes.getInt(0), (byte) 0x7f);
    assertThat(PrecompiledCharsmap.isSound(map)).isFalse();
  }

  @Test
  void textsThatAreNotUtf8AreInvalid() {
    map[map.length - 2] = (byte) 0xff;
    assertThat(PrecompiledCharsmap.isSound(map)).isFalse();
  }

  @Test
  void leavesThatPointBeyondTheTextsAreInvalid() {
    byte[] cut = Arrays.copyOf(map, Integer.BYTES + bytes.getInt(0));
    assertThat(PrecompiledCharsmap.isSound(cut)).isFalse();
  }
}
