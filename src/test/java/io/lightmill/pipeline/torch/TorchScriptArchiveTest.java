package io.lightmill.pipeline.torch;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;

class TorchScriptArchiveTest {

  @Test
  void itHoldsTheTextAndWhatThatImports() throws IOException {
    Map<String, byte[]> entries = entries(TorchScriptArchive.of("test_module", "Arguments"));
    assertThat(entries)
        .containsOnlyKeys(
            "module/data.pkl",
            "module/code/__torch__/test_module.py",
            "module/code/__torch__/test_shapes.py",
            "module/constants.pkl",
            "module/version",
            "module/byteorder");
    assertThat(new String(entries.get("module/version"), UTF_8)).isEqualTo("10\n");
    assertThat(new String(entries.get("module/data.pkl"), ISO_8859_1))
        .isEqualTo("\u0080\u0002c__torch__.test_module\nArguments\n)\u0081}b.");
  }

  @Test
  void callsAreQualifiedAndLinesKept() throws IOException {
    Map<String, byte[]> entries = entries(TorchScriptArchive.of("test_module", "Arguments"));
    String module = new String(entries.get("module/code/__torch__/test_module.py"), UTF_8);
    String original = Files.readString(Path.of("src/test/resources/torchscript/test_module.py"));
    assertThat(module)
        .contains("return __torch__.test_shapes.twice(x)")
        .contains("torch.full(shape, factor * count)")
        .doesNotContain("import");
    assertThat(module.lines().count()).isEqualTo(original.lines().count());
    assertThat(new String(entries.get("module/code/__torch__/test_shapes.py"), UTF_8))
        .contains("__torch__.test_shapes.once(__torch__.test_shapes.once(x))");
  }

  @Test
  void namesInStringLiteralsAndCommentsStay() throws IOException {
    Map<String, byte[]> entries = entries(TorchScriptArchive.of("test_module", "Arguments"));
    assertThat(new String(entries.get("module/code/__torch__/test_module.py"), UTF_8))
        .contains(
            "# the text test_shapes.twice is not called here",
            "return \"test_shapes.twice(x) \\\" test_shapes.once\" + 'test_shapes.once'");
  }

  @Test
  void anUnknownTextIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TorchScriptArchive.of("nothing", "Nothing"))
        .withMessageContaining("/torchscript/nothing.py");
  }

  /** PyTorch reads nothing but stored entries. */
  private static Map<String, byte[]> entries(byte[] archive) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(archive))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        assertThat(entry.getMethod()).isEqualTo(ZipEntry.STORED);
        entries.put(entry.getName(), zip.readAllBytes());
      }
    }
    return entries;
  }
}
