package io.lightmill.udfs.option;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An amount of money.
 *
 * @param amount at least 0
 * @param currency such as {@code USD} or {@code €}; empty if none is named
 */
public record Price(BigDecimal amount, String currency) implements Serializable {

  private static final String AMOUNT = "(?<amount>\\d{1,9}(\\.\\d{1,9})?)";
  private static final String CURRENCY = "(?<currency>\\p{Sc}|\\p{L}{1,12})";

  private static final Pattern AFTER = Pattern.compile(AMOUNT + "(\\s*" + CURRENCY + ")?");
  private static final Pattern BEFORE = Pattern.compile(CURRENCY + "\\s*" + AMOUNT);

  /** Small amounts keep two significant digits. */
  private static final int FEWEST_DECIMALS = 2;

  static final OptionType<Price> TYPE =
      OptionType.of("an amount such as 2.49, '2.49 USD' or '€2.49'", Price::read, Price::toString);

  private static Optional<Price> read(String text) {
    for (Pattern pattern : new Pattern[] {AFTER, BEFORE}) {
      Matcher matcher = pattern.matcher(text.strip());
      if (matcher.matches()) {
        String currency = matcher.group("currency");
        return Optional.of(
            new Price(new BigDecimal(matcher.group("amount")), currency == null ? "" : currency));
      }
    }
    return Optional.empty();
  }

  /** This price for a quantity. */
  public Price times(double quantity) {
    return new Price(amount.multiply(BigDecimal.valueOf(quantity)), currency);
  }

  /** The same amount with two decimals, or with two significant digits if it is below 1. */
  public Price rounded() {
    int leadingZeros = amount.signum() == 0 ? 0 : amount.scale() - amount.precision();
    return new Price(
        amount.setScale(
            FEWEST_DECIMALS + Math.max(0, Math.min(leadingZeros, 6)), RoundingMode.HALF_UP),
        currency);
  }

  /** Such as {@code 2.49 USD}. */
  @Override
  public String toString() {
    return (amount.toPlainString() + " " + currency).strip();
  }
}
