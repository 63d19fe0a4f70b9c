package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.manifest.Manifest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.util.HadoopOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParquetTableTest {

  @TempDir Path directory;

  private TableDirectory files;

  @BeforeEach
  void here() {
    files = new TableDirectory(directory);
  }

  /** A file with one row: a prompt, and a column whose value is left out if it may be. */
  private void write(String name, Type column, Object value) throws IOException {
    MessageType schema =
        Types.buildMessage()
            .optional(PrimitiveTypeName.BINARY)
            .as(LogicalTypeAnnotation.stringType())
            .named("prompt")
            .addField(column)
            .named("table");
    Group row = new SimpleGroupFactory(schema).newGroup().append("prompt", "a mug");
    if (value instanceof Long number) {
      row.append(column.getName(), number);
    } else if (value instanceof Integer number) {
      row.append(column.getName(), number);
    } else if (value instanceof byte[] bytes) {
      row.append(column.getName(), Binary.fromConstantByteArray(bytes));
    }
    try (ParquetWriter<Group> writer =
        ExampleParquetWriter.builder(
                HadoopOutputFile.fromPath(
                    new org.apache.hadoop.fs.Path(directory.resolve(name).toUri()),
                    new Configuration()))
            .withType(schema)
            .build()) {
      writer.write(row);
    }
  }

  private static Type type(String text) {
    return MessageTypeParser.parseMessageType("message t { " + text + " }").getFields().get(0);
  }

  private List<String> notices(String name) {
    return PromptRows.open(
            TestSpark.session(), PromptInput.at(directory + "/" + name), Manifest.reserved())
        .notices();
  }

  @ParameterizedTest
  @ValueSource(strings = {"nanos.parquet", "time.parquet"})
  void theCopiesWithNanosecondsAreReadWithoutThem(String name) {
    assertThat(TableDirectory.RESOURCES.planned(name, "prompt", "error_code"))
        .containsExactly("a blue boat|null", "a red kite|null");
    assertThat(TableDirectory.RESOURCES.read(name).unread()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "optional int64 at (TIMESTAMP(NANOS,true));       | INT64 TIMESTAMP(NANOS,true)",
        "optional int64 at (TIME(NANOS,false));           | INT64 TIME(NANOS,false)",
        "optional int32 at (TIME(MILLIS,true));           | INT32 TIME(MILLIS,true)",
        "optional fixed_len_byte_array(12) at (INTERVAL); | FIXED_LEN_BYTE_ARRAY INTERVAL",
        "optional fixed_len_byte_array(2) at (FLOAT16);   | FIXED_LEN_BYTE_ARRAY FLOAT16",
        "optional group at { optional int64 n (TIMESTAMP(NANOS,true)); } | a group",
      })
  void aColumnThatSparkCannotReadIsNamedAndLeftOut(String column, String stored)
      throws IOException {
    write("p.parquet", type(column), null);

    assertThat(files.planned("p.parquet", "prompt", "error_code")).containsExactly("a mug|null");
    assertThat(notices("p.parquet"))
        .singleElement()
        .asString()
        .contains("column 'at' is not read, and not in the manifest", "p.parquet", stored);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "optional int64 c (INTEGER(64,false));     | decimal(20,0)",
        "optional int32 c (INTEGER(32,false));     | bigint",
        "optional int32 c (DECIMAL(9,2));          | decimal(9,2)",
        "optional binary c;                        | binary",
        "optional group c { optional int32 n; }    | struct<n:int>",
        "optional group c (LIST) { repeated group list { optional binary element (STRING); } } |"
            + " array<string>",
        "optional int64 c (TIMESTAMP(MICROS,true)); | timestamp",
        "optional int64 c (TIMESTAMP(MICROS,false)); | timestamp_ntz",
        "optional binary c (ENUM);                 | string",
      })
  void otherColumnsAreCopied(String column, String type) throws IOException {
    write("p.parquet", type(column), null);

    assertThat(notices("p.parquet")).isEmpty();
    assertThat(files.read("p.parquet").rows().schema().apply("c").dataType().simpleString())
        .isEqualTo(type);
    assertThat(files.planned("p.parquet", "prompt", "error_code")).containsExactly("a mug|null");
  }

  @Test
  void aSeedOf64UnsignedBitsIsExact() throws IOException {
    write("p.parquet", type("optional int64 seed (INTEGER(64,false));"), -2L);

    assertThat(files.planned("p.parquet", "seed", "error_code")).containsExactly("-2|null");
  }

  @ParameterizedTest
  @ValueSource(strings = {"seed", "Steps", "prompt_2"})
  void aRequestThatCannotBeReadIsRefused(String name) throws IOException {
    write("p.parquet", type("optional int64 " + name + " (TIMESTAMP(NANOS,true));"), null);

    if (name.equals("prompt_2")) {
      assertThat(files.planned("p.parquet", "prompt")).containsExactly("a mug");
    } else {
      files.assertRefused(
          "p.parquet", "column '" + name + "'", "cannot be read", "store it as text");
    }
  }

  @Test
  void columnsOfAllFilesAreRead() throws IOException {
    write("a.parquet", type("optional int32 seed;"), 7);
    write("b.parquet", type("optional int64 seed;"), 8L);
    write(
        "c.parquet",
        type("optional binary negative_prompt (STRING);"),
        "blurry".getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < 9; i++) {
      write("d%d.parquet".formatted(i), type("optional int64 at (TIMESTAMP(NANOS,true));"), 1L);
    }

    assertThat(files.planned("", "seed", "negative_prompt", "error_code"))
        .hasSize(12)
        .contains("7|null|null", "8|null|null")
        .filteredOn(row -> row.contains("blurry"))
        .hasSize(1);
    assertThat(files.read("").unread()).hasSize(1);
  }

  @Test
  void aColumnOfDifferentTypesIsLeftOutUnlessItIsARequest() throws IOException {
    write("t/a.parquet", type("optional int32 note;"), 7);
    write(
        "t/b.parquet",
        type("optional binary note (STRING);"),
        "x".getBytes(StandardCharsets.UTF_8));
    write("u/a.parquet", type("optional int32 seed;"), 7);
    write(
        "u/b.parquet",
        type("optional binary seed (STRING);"),
        "7".getBytes(StandardCharsets.UTF_8));

    assertThat(notices("t"))
        .singleElement()
        .asString()
        .contains("'note'", "its type is int in '", "a.parquet' and string in '");
    files.assertRefused("u", "column 'seed'", "its type is int in");
  }

  @Test
  void twoColumnsThatDifferInCaseAreRefused() throws IOException {
    write("p.parquet", type("optional binary PROMPT (STRING);"), null);

    files.assertRefused("p.parquet", "two columns named 'prompt'");
  }

  @Test
  void numbersThatMayHaveBeenRoundedAreNoSeeds() {
    TestSpark.session()
        .sql(
            "select * from values (42D, 'a'), (double('NaN'), 'b'), (9007199254740993D, 'c'),"
                + " (null, 'd') as t(seed, prompt)")
        .withColumn("id", org.apache.spark.sql.functions.col("prompt"))
        .coalesce(1)
        .write()
        .parquet(directory.resolve("t").toString());

    assertThat(files.planned("t", "id", "error_code"))
        .containsExactly("a|null", "b|null", "c|VALUE_INVALID", "d|null");
    assertThat(files.planned("t", "seed")).contains("42");
    assertThat(files.planned("t", "error_message"))
        .anyMatch(said -> said.contains("a floating-point number, perhaps rounded"));
  }

  @Test
  void whatIsNoParquetIsRefused() {
    files.write("p.parquet", "id,prompt\n1,a mug\n");
    files.write("q.parquet", "");

    files.assertRefused("p.parquet", "p.parquet' cannot be read", "format of its extension");
    files.assertRefused("q.parquet", "q.parquet' cannot be read", "format of its extension");
  }

  @Test
  void partitionsAreText() {
    TestSpark.session()
        .sql("select 'a' as prompt, '007' as sku, 1 as n union select 'b', '1e3', 2")
        .write()
        .partitionBy("sku")
        .parquet(directory.resolve("t").toString());

    assertThat(files.read("t").rows().schema().apply("sku").dataType())
        .isEqualTo(DataTypes.StringType);
    assertThat(files.rows("t", "prompt", "sku", "n")).containsExactly("a|007|1", "b|1e3|2");
  }
}
