package io.lightmill.udfs.report;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.udfs.ImageStatus;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

class ContactSheetPageTest {

  private static final Card PICTURE =
      new Card(
          "sku-1",
          0,
          Optional.of("ab12"),
          ImageStatus.GENERATED,
          Optional.empty(),
          Optional.of("images/ab/ab12.png"),
          Optional.of("a blue mug"),
          Optional.of(-42L),
          Optional.of(new Card.Size(768, 1344)));

  private static final Card FAILED =
      new Card(
          "sku-2",
          3,
          Optional.empty(),
          ImageStatus.FAILED,
          Optional.of("The engine ran out of memory."),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());

  @Test
  void aPictureStandsWithItsFacts() throws Exception {
    Document page = parsed(ContactSheetPage.render(run(1), List.of(PICTURE)));

    assertThat(texts(page, "//li[contains(@class,'card')]/@class"))
        .containsExactly("card generated");
    assertThat(texts(page, "//a/@href")).containsExactly("./images/ab/ab12.png");
    assertThat(texts(page, "//img/@src")).containsExactly("./images/ab/ab12.png");
    assertThat(texts(page, "//img/@alt")).containsExactly("a blue mug");
    assertThat(texts(page, "//img/@loading")).containsExactly("lazy");
    assertThat(texts(page, "//p[@class='id']")).containsExactly("sku-1");
    assertThat(texts(page, "//p[@class='prompt']")).containsExactly("a blue mug");
    assertThat(texts(page, "//p[@class='small']/span"))
        .containsExactly("generated", "768 × 1344", "seed -42");
    assertThat(texts(page, "//p[@class='error']")).isEmpty();
  }

  @Test
  void aRowWithoutAPictureSaysWhy() throws Exception {
    Document page = parsed(ContactSheetPage.render(run(1), List.of(FAILED)));

    assertThat(texts(page, "//img | //a")).isEmpty();
    assertThat(texts(page, "//*[local-name()='svg']/@aria-label")).containsExactly("failed");
    assertThat(texts(page, "//p[@class='error']")).containsExactly("The engine ran out of memory.");
    assertThat(texts(page, "//p[@class='id']")).containsExactly("sku-2 · 3");
    assertThat(texts(page, "//p[@class='small']/span")).containsExactly("failed");
  }

  @Test
  void theHeaderHoldsTheFactsOfTheRun() throws Exception {
    Map<ImageStatus, Long> statuses = new LinkedHashMap<>();
    statuses.put(ImageStatus.GENERATED, 9_990L);
    statuses.put(ImageStatus.INVALID, 0L);
    statuses.put(ImageStatus.FAILED, 10L);
    RunFacts run = new RunFacts("run-7", "FLUX.1 <dev>", statuses, Duration.ofSeconds(75));
    Document page = parsed(ContactSheetPage.render(run, List.of(PICTURE, FAILED)));

    assertThat(texts(page, "//title")).containsExactly("Contact sheet of run run-7");
    assertThat(texts(page, "//dd"))
        .containsExactly("FLUX.1 <dev>", "10,000, 2 of them here", "1 min 15 s");
    assertThat(texts(page, "//ul[@class='statuses']/li"))
        .containsExactly("9,990 generated", "10 failed");
    assertThat(texts(page, "//footer"))
        .containsExactly(
            "Shows 2 of 10,000 rows, taken at even distances. The manifest holds all.");
  }

  @Test
  void aPageOfAllRowsSaysSo() throws Exception {
    Document page = parsed(ContactSheetPage.render(run(2), List.of(PICTURE, FAILED)));

    assertThat(texts(page, "//footer")).containsExactly("Shows all rows of the run.");
  }

  @Test
  void morePicturesThanAPageHoldsAreRefused() {
    List<Card> cards = Collections.nCopies(ContactSheetPage.MAX_CARDS + 1, PICTURE);

    assertThatThrownBy(() -> ContactSheetPage.render(run(201), cards))
        .hasMessageContaining("201 cards");
  }

  @Test
  void theBarSharesItsWidthByRows() throws Exception {
    RunFacts run =
        new RunFacts(
            "r", "m", Map.of(ImageStatus.GENERATED, 9_990L, ImageStatus.FAILED, 0L), Duration.ZERO);
    Document page = parsed(ContactSheetPage.render(run, List.of(PICTURE)));

    assertThat(texts(page, "//div[@class='bar']/span/@class")).containsExactly("generated");
    assertThat(texts(page, "//div[@class='bar']/span/@style")).containsExactly("flex-grow:9990");
  }

  @ParameterizedTest
  @CsvSource({"0, 0 s", "59, 59 s", "60, 1 min 0 s", "3600, 1 h 0 min", "90061, 25 h 1 min"})
  void durationsReadWell(long seconds, String text) throws Exception {
    RunFacts run =
        new RunFacts("r", "m", Map.of(ImageStatus.GENERATED, 1L), Duration.ofSeconds(seconds));

    assertThat(texts(parsed(ContactSheetPage.render(run, List.of(PICTURE))), "//dd"))
        .endsWith(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "</script><script>alert(1)</script><img src=x onerror=alert(1)>",
        "\" onerror=\"alert(1)\" x=\"",
        "' onclick='alert(1)",
        "</style></title><!-- ]]> <?php ?> &amp; &#60; %s %n \\",
        "👩🏽‍🚀 藍色的馬克杯 \u202eكوب",
      })
  void hostileTextStaysText(String text) throws Exception {
    Card card =
        new Card(
            text,
            0,
            Optional.of(text),
            ImageStatus.GENERATED,
            Optional.of(text),
            Optional.of(text),
            Optional.of(text),
            Optional.of(1L),
            Optional.empty());
    Card empty =
        new Card(
            text,
            0,
            Optional.empty(),
            ImageStatus.INVALID,
            Optional.of(text),
            Optional.empty(),
            Optional.of(text),
            Optional.empty(),
            Optional.empty());
    RunFacts run = new RunFacts(text, text, Map.of(ImageStatus.GENERATED, 2L), Duration.ZERO);
    Document page = parsed(ContactSheetPage.render(run, List.of(card, empty)));
    Document plain = parsed(ContactSheetPage.render(run(2), List.of(PICTURE, FAILED)));

    assertThat(texts(page, "//p[@class='prompt'] | //p[@class='error']")).containsOnly(text);
    assertThat(texts(page, "//img/@alt")).containsOnly(text);
    assertThat(texts(page, "//script")).isEmpty();
    assertThat(texts(page, "//*[local-name()='img']")).hasSize(1);
    assertThat(texts(page, "//@*[starts-with(name(), 'on')]")).isEmpty();
    assertThat(texts(page, "//head/*")).hasSameSizeAs(texts(plain, "//head/*"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "javascript:alert(1)",
        "//evil.example/x.png",
        "data:text/html,<b>",
        "images/100%/a b#c?d=e&f.png",
        "images/キッチン/\"'<>.png",
        "a\\b.png",
      })
  void linksStayBelowThePage(String path) throws Exception {
    Card card =
        new Card(
            "i",
            0,
            Optional.empty(),
            ImageStatus.GENERATED,
            Optional.empty(),
            Optional.of(path),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    Document page = parsed(ContactSheetPage.render(run(1), List.of(card)));
    URI link = URI.create(texts(page, "//a/@href").get(0));

    assertThat(link.toString()).matches("\\./[!-~]*");
    assertThat(link.getPath()).isEqualTo("./" + path);
    assertThat(link.getQuery()).isNull();
    assertThat(link.getFragment()).isNull();
    URI resolved = URI.create("https://host/out/contact-sheet.html").resolve(link);
    assertThat(resolved.getHost()).isEqualTo("host");
    assertThat(resolved.getPath()).startsWith("/out/");
  }

  @Test
  void longPromptsAreCutBetweenCharacters() throws Exception {
    Card card =
        new Card(
            "i",
            0,
            Optional.empty(),
            ImageStatus.INVALID,
            Optional.empty(),
            Optional.empty(),
            Optional.of("😀".repeat(100_000)),
            Optional.empty(),
            Optional.empty());
    String page = ContactSheetPage.render(run(1), List.of(card));

    assertThat(texts(parsed(page), "//p[@class='prompt']")).containsExactly("😀".repeat(600) + "…");
    assertThat(page).hasSizeLessThan(20_000);
  }

  @Test
  void nothingIsLoadedFromElsewhereAndNothingRuns() {
    String page = ContactSheetPage.render(run(2), List.of(PICTURE, FAILED));

    assertThat(page)
        .startsWith("<!DOCTYPE html>\n")
        .contains("prefers-color-scheme: dark")
        .contains("default-src 'none'; img-src * data:; style-src 'unsafe-inline'")
        .doesNotContain("@import", "<link", "<script", "<iframe");
    assertThat(page.replace("http://www.w3.org/", "")).doesNotContain("http:", "https:");
  }

  private static RunFacts run(long rows) {
    return new RunFacts(
        "run-7", "pocket", Map.of(ImageStatus.GENERATED, rows), Duration.ofSeconds(5));
  }

  private static Document parsed(String page) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(page.getBytes(UTF_8)));
  }

  private static List<String> texts(Document page, String xpath) throws Exception {
    NodeList nodes =
        (NodeList)
            XPathFactory.newInstance().newXPath().evaluate(xpath, page, XPathConstants.NODESET);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < nodes.getLength(); i++) {
      texts.add(nodes.item(i).getTextContent());
    }
    return texts;
  }
}
