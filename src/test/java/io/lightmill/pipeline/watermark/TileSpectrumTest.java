package io.lightmill.pipeline.watermark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class TileSpectrumTest {

  private static final int SIDE = TileSpectrum.SIDE;

  @Test
  void frequenciesAreSumsOfWaves() {
    float[] tile = new float[SIDE * SIDE];
    Random random = new Random(1);
    for (int i = 0; i < tile.length; i++) {
      tile[i] = (float) random.nextGaussian();
    }

    TileSpectrum spectrum = TileSpectrum.of(tile);

    for (int v = 0; v < TileSpectrum.COLUMNS; v += 3) {
      for (int u = -SIDE / 2; u < SIDE / 2; u += 7) {
        double re = 0;
        double im = 0;
        for (int i = 0; i < tile.length; i++) {
          double phase = 2 * Math.PI * (u * Math.floorDiv(i, SIDE) + v * (i % SIDE)) / SIDE;
          re += tile[i] * Math.cos(phase);
          im -= tile[i] * Math.sin(phase);
        }
        int index = TileSpectrum.index(u, v);
        assertThat((double) spectrum.real()[index]).isCloseTo(re, within(1e-2));
        assertThat((double) spectrum.imaginary()[index]).isCloseTo(im, within(1e-2));
      }
    }
  }

  @Test
  void aSpectrumIsThatOfItsTile() {
    TileSpectrum spectrum = new TileSpectrum();
    Random random = new Random(2);
    for (int v = 0; v < TileSpectrum.COLUMNS; v++) {
      for (int u = v == 0 ? 1 : -9; u < 10; u++) {
        spectrum.set(u, v, (float) random.nextGaussian(), (float) random.nextGaussian());
      }
    }

    TileSpectrum again = TileSpectrum.of(spectrum.tile());

    for (int i = 0; i < spectrum.real().length; i++) {
      assertThat(again.real()[i] / (SIDE * SIDE)).isCloseTo(spectrum.real()[i], within(1e-5f));
      assertThat(again.imaginary()[i] / (SIDE * SIDE))
          .isCloseTo(spectrum.imaginary()[i], within(1e-5f));
    }
  }
}
