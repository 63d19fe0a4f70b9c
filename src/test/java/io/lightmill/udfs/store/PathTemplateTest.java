package io.lightmill.udfs.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageFormat;
import java.text.Normalizer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathTemplateTest {

  private static final Set<String> KNOWN = Set.of("image_id", "sku", "name", "category", "my col");

  @Test
  void theStandardLayoutSpreadsImagesOverDirectories() {
    assertThat(key(PathTemplate.STANDARD, Map.of("image_id", "ab12cd")))
        .isEqualTo("images/ab/ab12cd.png");
    assertThat(
            PathTemplate.parse(PathTemplate.STANDARD, KNOWN, ImageFormat.JPEG)
                .key(Map.of("image_id", "ab12cd")::get))
        .isEqualTo("images/ab/ab12cd.jpg");
  }

  @Test
  void placeholdersTakeTheValuesOfTheRow() {
    Map<String, String> row =
        Map.of("sku", "4711-B", "name", "Blaue Tasse, groß", "category", "キッチン", "my col", "1");

    assertThat(key("{category}/{name}-{sku}", row))
        .isEqualTo("images/キッチン/Blaue_Tasse,_groß-4711-B.png");
    assertThat(key("images/v1/{sku:2}/{sku}_{my col}", row)).isEqualTo("images/v1/47/4711-B_1.png");
  }

  @ParameterizedTest
  @CsvSource({
    "../../etc/passwd, _etc_passwd",
    "..\\..\\x, _x",
    ".., _",
    "., _",
    "..., _",
    ".hidden, _hidden",
    "trailing., trailing_",
    "s3a://b/c, s3a_b_c",
    "a*b?c{d}[e], a_b_c_d_e_",
    "day=2026, day_2026",
    "CON, _CON",
    "nul.txt, _nul.txt",
    "Com1, _Com1",
    "lpt¹, _lpt¹",
    "console, console",
    "$1 \\1, _1_1",
    "{image_id}, _image_id_",
    "v1.2, v1.2",
    "a..b, a_b",
    "'   ', _",
    "e\u0301t\u00e9, \u00e9t\u00e9",
    "\u202egnp.exe, _gnp.exe",
  })
  void valuesBecomeSafeNames(String value, String name) {
    assertThat(key("{name}", Map.of("name", value))).isEqualTo("images/" + name + ".png");
  }

  @Test
  void controlAndFormattingCharactersAndSymbolsAreReplaced() {
    assertThat(key("{name}", Map.of("name", "a\u200bb\0c\u0007d\n☕👩🏽‍🚀\ud83d")))
        .isEqualTo("images/a_b_c_d_.png");
  }

  @Test
  void missingAndEmptyValuesBecomeUnderscores() {
    assertThat(key("{sku}/{name}", Map.of("name", ""))).isEqualTo("images/_/_.png");
    assertThat(key("{sku:3}", Map.of())).isEqualTo("images/_.png");
  }

  @Test
  void namesThatAreReservedOnlyAfterFillingAreEscaped() {
    assertThat(key("{sku}{name}", Map.of("sku", "CO", "name", "N"))).isEqualTo("images/_CON.png");
    assertThat(key("{sku}.{name}", Map.of("sku", "x", "name", ".y"))).isEqualTo("images/x._y.png");
    assertThat(key("{sku:1}.{name}", Map.of("sku", "x.", "name", "y"))).isEqualTo("images/x.y.png");
    assertThat(key("{sku:2}.{name}", Map.of("sku", "x.z", "name", "y")))
        .isEqualTo("images/x_y.png");
  }

  @Test
  void longValuesAreTruncatedAndStayDifferent() {
    String first = key("{name}", Map.of("name", "杯".repeat(500) + "a"));
    String second = key("{name}", Map.of("name", "杯".repeat(500) + "b"));

    assertThat(first).startsWith("images/杯杯").isNotEqualTo(second);
    assertThat(first).matches("images/杯{37}-[0-9a-f]{8}\\.png"); // 37 × 3 + 9 = 120 bytes
  }

  @ParameterizedTest
  @MethodSource("hostileValues")
  void anyValueGivesASafeKey(String value) {
    Map<String, String> row = Map.of("sku", value, "name", value, "category", value);
    for (String template :
        List.of("{sku}", "{category}/{name}-{sku}", "{sku}{name}{category}", "{name:1}/{sku:3}")) {
      String key = key(template, row);

      assertThat(key).startsWith("images/").endsWith(".png").doesNotContain("..", "//", "\\", ":");
      assertThat(key.codePoints()).noneMatch(Character::isISOControl);
      assertThat(key.codePoints()).noneMatch(c -> Character.getType(c) == Character.FORMAT);
      assertThat(Normalizer.isNormalized(key, Normalizer.Form.NFC)).isTrue();
      assertThat(new String(key.getBytes(UTF_8), UTF_8)).isEqualTo(key);
      assertThat(key.getBytes(UTF_8)).hasSizeLessThan(1024);
      assertThat(key.split("/")).hasSize(1 + template.split("/").length);
      assertThat(key.split("/"))
          .allSatisfy(
              name -> {
                assertThat(name).isNotEmpty().doesNotStartWith(".").doesNotEndWith(".");
                assertThat(name.getBytes(UTF_8)).hasSizeLessThan(200);
              });
      assertThat(new Path("/out", key)).hasToString("/out/" + key);
      assertThat(key(template, row)).isEqualTo(key);
    }
  }

  static Stream<String> hostileValues() {
    Random random = new Random(11);
    String alphabet =
        "./\\:*?\"<>|%#&{}[]$^~`'=;, \t\n\r\0\u007f\u0085\u200d\u202e\ufeff\uffff"
            + "aZ9-_@é\u0301\u1100\u1161杯\ud83d\ude00\u2126";
    return IntStream.range(0, 500)
        .mapToObj(
            i ->
                random
                    .ints(random.nextInt(1 << random.nextInt(10)), 0, alphabet.length())
                    .collect(
                        StringBuilder::new,
                        (text, at) -> text.append(alphabet.charAt(at)),
                        StringBuilder::append)
                    .toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/{sku}",
        "{sku}/",
        "a//b",
        "../{sku}",
        "{sku}/../x",
        "./{sku}",
        ".hidden/{sku}",
        "a..b",
        "x.",
        "s3a://b/{sku}",
        "a b",
        "{sku",
        "sku}",
        "{}",
        "{sku:0}",
        "{sku:x}",
        "a\\b",
        "a*",
        "a/b/c/d/e/f",
      })
  void invalidTemplatesAreRefused(String template) {
    assertRefused(template).hasMessageContaining("Path template '" + template + "' ");
  }

  @Test
  void anUnknownNameIsRefusedWithTheKnownNames() {
    assertRefused("{sku}/{prize}")
        .hasMessageContaining(
            "{prize}, which no row has; known are category, image_id, my col, name, sku");
  }

  private static org.assertj.core.api.AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
      String template) {
    return assertThatThrownBy(() -> PathTemplate.parse(template, KNOWN, ImageFormat.PNG))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID));
  }

  private static String key(String template, Map<String, String> row) {
    return PathTemplate.parse(template, KNOWN, ImageFormat.PNG).key(row::get);
  }
}
