package io.lightmill.udfs.draw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.udfs.plan.PlannedImages;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class OverlappedBatchesTest {

  private final List<String> events = new ArrayList<>();

  private static List<Row> batch(int first, int size) {
    List<Row> rows = new ArrayList<>();
    for (int i = first; i < first + size; i++) {
      rows.add(RowFactory.create(i));
    }
    return rows;
  }

  private static Chunks.Sizes fixed(int size) {
    return new Chunks.Sizes() {
      @Override
      public int batch(String batchKey, int ahead) {
        return size;
      }

      @Override
      public int chunk(Row first) {
        return Batching.RESIDENT;
      }
    };
  }

  /** Rows of a chunk that are complete at once, or only when they are awaited. */
  private record Finishing(boolean isDone, List<Row> batch, Runnable awaited)
      implements OverlappedBatches.Finishing {

    @Override
    public List<Row> rows() {
      awaited.run();
      return batch;
    }
  }

  private OverlappedBatches.Finishing draw(boolean done, List<Row> batch) {
    events.add("draw " + batch.get(0).getInt(0));
    return new Finishing(done, batch, () -> events.add("await " + batch.get(0).getInt(0)));
  }

  private OverlappedBatches<List<Row>> overlapped(
      List<List<Row>> batches, int ahead, boolean done) {
    return new OverlappedBatches<>(
        batches.iterator(), List::size, ahead, batch -> draw(done, batch));
  }

  @Test
  void drawsTheNextBatchBeforeItWaitsForTheLastOnesRows() {
    Iterator<Row> rows = overlapped(List.of(batch(0, 2), batch(2, 1), batch(3, 2)), 0, false);

    rows.forEachRemaining(row -> events.add("row " + row.getInt(0)));

    assertThat(events)
        .containsExactly(
            "draw 0", "draw 2", "await 0", "row 0", "row 1", "draw 3", "await 2", "row 2",
            "await 3", "row 3", "row 4");
    assertThat(rows.hasNext()).isFalse();
    assertThatThrownBy(rows::next).isInstanceOf(NoSuchElementException.class);
  }

  @Test
  void drawsSmallBatchesAheadWhileTheStoreIsSlow() {
    Iterator<Row> rows =
        overlapped(
            List.of(batch(0, 1), batch(1, 1), batch(2, 2), batch(4, 1), batch(5, 1)), 4, false);

    rows.forEachRemaining(row -> events.add("row " + row.getInt(0)));

    assertThat(events)
        .containsExactly(
            "draw 0", "draw 1", "draw 2", "await 0", "row 0", "draw 4", "await 1", "row 1",
            "draw 5", "await 2", "row 2", "row 3", "await 4", "row 4", "await 5", "row 5");
  }

  @Test
  void handsOutRowsThatAreCompleteBeforeItDrawsOn() {
    Iterator<Row> rows = overlapped(List.of(batch(0, 1), batch(1, 2)), 8, true);

    rows.forEachRemaining(row -> events.add("row " + row.getInt(0)));

    assertThat(events)
        .containsExactly("draw 0", "await 0", "row 0", "draw 1", "await 1", "row 1", "row 2");
  }

  @Test
  void holdsTwoBatchesHoweverManyRowsAPartitionHas() {
    int all = 100_000;
    int size = 4;
    StructType schema =
        new StructType()
            .add(PlannedImages.BATCH_KEY, DataTypes.StringType)
            .add("image_id", DataTypes.StringType);
    AtomicInteger taken = new AtomicInteger();
    Iterator<Row> planned =
        Stream.iterate(0, row -> row + 1)
            .limit(all)
            .<Row>map(row -> new GenericRowWithSchema(new Object[] {"key", "" + row}, schema))
            .peek(row -> taken.incrementAndGet())
            .iterator();

    Iterator<Row> rows =
        new OverlappedBatches<>(
            new Chunks(planned, fixed(size)),
            chunk -> chunk.get(0).size(),
            0,
            chunk -> new Finishing(false, chunk.get(0), () -> {}));
    int given = 0;
    int mostHeld = 0;
    while (rows.hasNext()) {
      mostHeld = Math.max(mostHeld, taken.get() - given);
      rows.next();
      given++;
    }

    assertThat(given).isEqualTo(all);
    assertThat(mostHeld).isEqualTo(2 * size + 1); // and the row that tells that a batch is over
  }

  @Test
  void drawsNothingUntilAskedAndNothingForNoBatches() {
    overlapped(List.of(batch(0, 1)), 8, false);

    assertThat(events).isEmpty();
    assertThat(overlapped(List.of(), 8, false).hasNext()).isFalse();
  }

  @Test
  void interruptedTaskIsKilledAndStaysInterrupted() {
    OverlappedBatches<List<Row>> rows =
        new OverlappedBatches<>(
            List.of(batch(0, 1)).iterator(),
            List::size,
            8,
            batch -> {
              throw new InterruptedException();
            });

    assertThatThrownBy(rows::hasNext).isInstanceOf(TaskKilledException.class);
    assertThat(Thread.interrupted()).isTrue();
  }
}
