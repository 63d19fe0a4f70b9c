package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {

  @TempDir Path temporary;
  private Path file;

  @BeforeEach
  void name() {
    file = temporary.resolve("model.safetensors");
  }

  @Test
  void tensorsAreReadInTheOrderOfTheirBytes() throws IOException {
    write(
        """
        {"__metadata__": {"format": "pt"},
         "b": {"dtype": "BF16", "shape": [2, 1], "data_offsets": [8, 12]},
         "a": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]},
         "empty": {"dtype": "F32", "shape": [0, 3], "data_offsets": [8, 8]}}
        """,
        12);
    long data = Files.size(file) - 12;
    assertThat(SafetensorsFile.open(file).tensors().values())
        .containsExactly(
            new TensorEntry("a", DType.I64, List.of(), data),
            new TensorEntry("empty", DType.F32, List.of(0L, 3L), data + 8),
            new TensorEntry("b", DType.BF16, List.of(2L, 1L), data + 8));
  }

  @Test
  void everyReferenceFileIsValid() {
    Path transformer = ReferenceCheckpoint.of("flux-dev").resolve("transformer");
    assertThat(
            SafetensorsFile.open(transformer.resolve("diffusion_pytorch_model.safetensors"))
                .tensors())
        .hasSize(126);
  }

  /** Headers for twelve bytes of data. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}              | has 84 bytes where its header describes 80
          {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}  | ends at byte 84, within tensor 'a'
          {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}   | gives tensor 'a' the bytes [0,8] where F32 of shape [3] needs 12
          {"a": {"dtype": "F32", "shape": [-3], "data_offsets": [0, 12]}}            | describes tensor 'a' as
          {"a": {"dtype": "F32", "shape": [3.0], "data_offsets": [0, 12]}}           | describes tensor 'a' as
          {"a": {"dtype": "F32", "shape": ["3"], "data_offsets": [0, 12]}}           | describes tensor 'a' as
          {"a": {"dtype": "F32", "shape": 3, "data_offsets": [0, 12]}}               | describes tensor 'a' as
          {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0]}}                 | describes tensor 'a' as
          {"a": {"dtype": "F32", "shape": [3], "data_offsets": [-4, 8]}}             | describes tensor 'a' as
          {"a": {"dtype": "F32", "shape": [3], "data_offsets": ["0", "12"]}}         | describes tensor 'a' as
          {"a": {"shape": [3], "data_offsets": [0, 12]}}                             | describes tensor 'a' as
          {"a": 3}                                                                   | describes tensor 'a' as
          {"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 12]}} | the impossible shape
          {"a": {"dtype": "U8", "shape": [9223372036854775807], "data_offsets": [0, 9223372036854775807]}} | within tensor 'a'
          {"a": {"dtype": "U8", "shape": [1], "data_offsets": [9223372036854775806, 9223372036854775807]}} | impossible
          {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}} | places tensor 'b' at byte
          {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "b": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}} | places tensor 'b' at byte
          {"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}             | places tensor 'a' at byte
          {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}, "a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}} | not JSON (Duplicate field 'a')
          {"a": {"dtype": "F32", "dtype": "I32", "shape": [3], "data_offsets": [0, 12]}} | not JSON (Duplicate field 'dtype')
          {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}} {}          | not JSON
          {"a":                                                                      | not JSON
          [1]                                                                        | not a JSON object
          """)
  void anInconsistentHeaderIsRefused(String header, String message) throws IOException {
    write(header, 12);
    refusal().withMessageContaining(message).withMessageEndingWith("fetch it again");
  }

  @ParameterizedTest
  @ValueSource(strings = {"F8_E4M3", "f32", "C64", "LIGHT"})
  void anUnknownTypeIsNamed(String dtype) throws IOException {
    write(
        "{\"a\": {\"dtype\": \"%s\", \"shape\": [12], \"data_offsets\": [0, 12]}}".formatted(dtype),
        12);
    refusal()
        .withMessageContaining("has tensors of type %s, which Lightmill does not load: 'a';", dtype)
        .withMessageEndingWith("use the model's weights in F32, F16 or BF16");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 0, 1, 93, 1 << 27, Long.MIN_VALUE})
  void anImpossibleHeaderLengthIsRefused(long length) throws IOException {
    byte[] bytes = new byte[100];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    Files.write(file, bytes);
    refusal()
        .withMessageContaining(
            "claims a header of %s bytes in a file of 100"
                .formatted(Long.toUnsignedString(length)));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void aFileTooShortForALengthIsRefused(int size) throws IOException {
    Files.write(file, new byte[size]);
    refusal().withMessageContaining("is %d bytes long, too short".formatted(size));
  }

  @Test
  void aTruncatedFileIsRefused() throws IOException {
    Path whole = ReferenceCheckpoint.of("flux-dev").resolve("text_encoder/model.safetensors");
    byte[] bytes = Files.readAllBytes(whole);
    for (int cut : new int[] {3, 8, 9, 1000, bytes.length / 2, bytes.length - 1}) {
      Files.write(file, Arrays.copyOf(bytes, cut));
      refusal().withMessageEndingWith("fetch it again");
    }
  }

  @Test
  void aHeaderThatIsNotUtf8IsRefused() throws IOException {
    byte[] bytes = StoredBytes.file("{\"a\": \"??????????\"}", new byte[0]);
    bytes[16] = (byte) 0xff;
    Files.write(file, bytes);
    refusal().withMessageContaining("not UTF-8");
  }

  @Test
  void picklesAndArchivesAreRefusedWhateverTheirName() throws IOException {
    for (String start :
        List.of(
            "\u0080\u0002ctorch\nFloat",
            "\u0080\u0004\u0095abcdefghi",
            "PK\u0003\u0004archive/data.pkl")) {
      Files.write(file, start.getBytes(StandardCharsets.ISO_8859_1));
      refusal()
          .withMessageContaining("pickle or TorchScript archive, which can run code when loaded")
          .withMessageContaining("save the weights as safetensors");
    }
  }

  /** A header of 0x0280 bytes begins with the bytes of a pickle. */
  @Test
  void aHeaderLengthThatLooksLikeAPickleIsAccepted() throws IOException {
    String entry = "{\"a\": {\"dtype\": \"U8\", \"shape\": [1], \"data_offsets\": [0, 1]}}";
    Files.write(file, StoredBytes.file(entry + " ".repeat(0x280 - entry.length()), new byte[1]));
    assertThat(Files.readAllBytes(file)).startsWith(0x80, 2, 0);
    assertThat(SafetensorsFile.open(file).tensors()).containsOnlyKeys("a");
  }

  @Test
  void anUnreadableFileIsNamed() throws IOException {
    refusal().withMessageContaining("cannot be read (java.nio.file.NoSuchFileException");
    Files.createDirectory(file);
    refusal().withMessageContaining("is a directory; replace it by a regular file");
  }

  private void write(String header, int dataBytes) throws IOException {
    Files.write(file, StoredBytes.file(header.strip(), new byte[dataBytes]));
  }

  private ThrowableAssertAlternative<LightmillException> refusal() {
    return assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> SafetensorsFile.open(file))
        .withMessageStartingWith(file.toString())
        .matches(e -> e.code() == ErrorCode.WEIGHTS_INVALID);
  }
}
