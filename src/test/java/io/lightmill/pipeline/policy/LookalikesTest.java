package io.lightmill.pipeline.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.ibm.icu.text.SpoofChecker;
import java.text.Normalizer;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The table of look-alikes against its sources: ICU's confusables, and the names of Unicode. */
class LookalikesTest {

  private static final SpoofChecker ICU =
      new SpoofChecker.Builder().setChecks(SpoofChecker.CONFUSABLE).build();

  private static boolean isByName(int c, char ascii) {
    char capital = Character.toUpperCase(ascii);
    String name = Character.getName(c);
    return name.equals("LATIN LETTER SMALL CAPITAL " + capital)
        || name.startsWith("LATIN SMALL LETTER " + capital + " WITH ");
  }

  private static Set<String> skeletons(char ascii) {
    return IntStream.of(ascii, Character.toUpperCase(ascii))
        .mapToObj(c -> ICU.getSkeleton(Character.toString(c)))
        .collect(Collectors.toSet());
  }

  @Test
  void everyLetterLooksLikeItsAsciiLetter() {
    int found = 0;
    for (int c = 0x80; c < 0x20000; c++) {
      int letter = Lookalikes.letter(c);
      if (letter != c) {
        found++;
        assertThat(
                isByName(c, (char) letter)
                    || skeletons((char) letter).contains(ICU.getSkeleton(Character.toString(c))))
            .as("%s as %c", Character.getName(c), letter)
            .isTrue();
      }
    }
    assertThat(found).isGreaterThan(250);
  }

  @Test
  void everyCyrillicAndGreekLookalikeOfIcuIsInTheTable() {
    for (int c = 0x370; c < 0x530; c++) {
      String letter = Character.toString(c);
      boolean whole = Normalizer.normalize(letter, Normalizer.Form.NFKD).equals(letter);
      if (whole && Character.getType(c) == Character.LOWERCASE_LETTER) {
        String skeleton = ICU.getSkeleton(Character.toString(c));
        if (skeleton.length() == 1 && skeleton.charAt(0) >= 'a' && skeleton.charAt(0) <= 'z') {
          assertThat(Folding.of(c).letters())
              .as(Character.getName(c))
              .containsExactly((int) skeleton.charAt(0));
        }
      }
    }
  }
}
