package io.lightmill.udfs.store;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.commons.lang3.SerializationUtils;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class SharedConfigurationTest {

  @Test
  void isReadOnceForEachContent() {
    Configuration red = SerializationUtils.roundtrip(with("red")).value();

    assertThat(red.get("colour")).isEqualTo("red");
    assertThat(SerializationUtils.roundtrip(with("red")).value()).isSameAs(red);
    assertThat(SerializationUtils.roundtrip(with("blue")).value().get("colour")).isEqualTo("blue");
  }

  @Test
  void travelsOn() {
    SharedConfiguration arrived = SerializationUtils.roundtrip(with("green"));

    assertThat(SerializationUtils.roundtrip(arrived).value().get("colour")).isEqualTo("green");
  }

  @Test
  void everyEntryArrives() {
    Configuration sent = new Configuration();
    sent.set("long", "x".repeat(100_000));

    assertThat(SerializationUtils.roundtrip(new SharedConfiguration(sent)).value())
        .containsExactlyInAnyOrderElementsOf(sent);
  }

  private static SharedConfiguration with(String colour) {
    Configuration configuration = new Configuration(false);
    configuration.set("colour", colour);
    return new SharedConfiguration(configuration);
  }
}
