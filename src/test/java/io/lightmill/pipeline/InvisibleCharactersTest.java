package io.lightmill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InvisibleCharactersTest {

  @Test
  void controlAndFormatCharactersAreEscaped() {
    assertThat(InvisibleCharacters.escaped("a\u001b[31m\u0007\u009b2J\r\n\tb"))
        .isEqualTo("a\\u001b[31m\\u0007\\u009b2J\\r\\n\\tb");
    assertThat(InvisibleCharacters.escaped("\u202Egnp.exe\u2066\u200F\uFEFF\u2028\uD800"))
        .isEqualTo("\\u202egnp.exe\\u2066\\u200f\\ufeff\\u2028\\ud800");
    assertThat(InvisibleCharacters.escaped("\uDB40\uDC41")).isEqualTo("\\U000e0041");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "größe 漢字 100% \\u",
        "\uD83D\uDC68\u200D\uD83D\uDC69",
        "नमस्\u200Cते",
        "a\u00A0b"
      })
  void otherTextIsKept(String text) {
    assertThat(InvisibleCharacters.escaped(text)).isSameAs(text);
  }

  @Test
  void invisibleEndsAreStripped() {
    assertThat(InvisibleCharacters.stripped("\uFEFF\u00A0 a b\u200B\u2003\t")).isEqualTo("a b");
    assertThat(InvisibleCharacters.stripped("\u200B")).isEmpty();
    assertThat(InvisibleCharacters.isBlank("")).isTrue();
    assertThat(InvisibleCharacters.isBlank("\u200Ba")).isFalse();
  }

  @Test
  void messagesOfErrorsAreEscaped() {
    assertThat(new LightmillException(ErrorCode.INPUT_INVALID, "file '\u001b]0;x\u0007'"))
        .hasMessage("file '\\u001b]0;x\\u0007'");
  }

  @Test
  void messagesOfErrorsAreBoundedAndKeepTheirEnds() {
    String quoted = "\ud83d\ude80".repeat(1_000_000);
    LightmillException e =
        new LightmillException(
            ErrorCode.INPUT_INVALID, "the key 'a' is '%s'; correct it".formatted(quoted));

    assertThat(e.getMessage())
        .hasSizeLessThanOrEqualTo(LightmillException.MOST_CHARACTERS + 1)
        .startsWith("the key 'a' is '")
        .contains("\u2026")
        .endsWith("'; correct it");
    assertThat(e.getMessage().codePoints())
        .noneMatch(c -> Character.getType(c) == Character.SURROGATE);
  }
}
