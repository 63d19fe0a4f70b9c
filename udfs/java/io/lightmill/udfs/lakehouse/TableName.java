package io.lightmill.udfs.lakehouse;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.LakeFormat;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException;
import org.apache.spark.sql.catalyst.analysis.NoSuchTableException;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.connector.catalog.CatalogManager;
import org.apache.spark.sql.connector.catalog.CatalogPlugin;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.SupportsNamespaces;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The name of a table: a catalogue, if there are several, namespaces, and the table.
 *
 * @param parts at least one
 */
public record TableName(List<String> parts) {

  /**
   * Parses a name, whose parts may be quoted with backticks.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if it is no name
   */
  public static TableName parse(SparkSession spark, String text) {
    try {
      return new TableName(
          CollectionConverters.asJava(
              classic(spark).sessionState().sqlParser().parseMultipartIdentifier(text)));
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw invalid(
          "manifest table '%s' is no name of a table; write it as in catalog.db.images"
              .formatted(text),
          e);
    }
  }

  /** As SQL takes it. */
  String quoted() {
    return parts.stream().map(QuotingUtils::quoteIdentifier).collect(Collectors.joining("."));
  }

  @Override
  public String toString() {
    return String.join(".", parts);
  }

  /** The table; empty if it does not exist. */
  Optional<Table> load(SparkSession spark) {
    try {
      Identifier identifier = identifier(spark);
      return isPath(identifier.namespace()) && !isDeltaDirectory(identifier.name(), spark)
          ? Optional.empty() // a Delta catalogue would return a table without a schema
          : Optional.of(catalog(spark).loadTable(identifier));
    } catch (Exception e) { // Scala does not declare them
      if (e instanceof NoSuchTableException || e instanceof NoSuchNamespaceException) {
        return Optional.empty();
      }
      throw e instanceof LightmillException known
          ? known
          : invalid("manifest table '%s' cannot be opened: %s".formatted(this, firstLine(e)), e);
    }
  }

  /**
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the namespace does not exist
   */
  void requireNamespace(SparkSession spark) {
    String[] namespace = identifier(spark).namespace();
    if (namespace.length > 0
        && catalog(spark) instanceof SupportsNamespaces namespaces
        && !isPath(namespace)
        && !namespaces.namespaceExists(namespace)) {
      throw invalid(
          "the namespace '%s' of manifest table '%s' does not exist; run CREATE NAMESPACE %s, or correct the name"
              .formatted(
                  String.join(".", namespace),
                  this,
                  parts.subList(0, parts.size() - 1).stream()
                      .map(QuotingUtils::quoteIfNeeded)
                      .collect(Collectors.joining("."))),
          null);
    }
  }

  /** The format of the tables that the catalogue creates, by its class; empty for any other. */
  Optional<LakeFormat> catalogFormat(SparkSession spark) {
    String type = catalog(spark).getClass().getName();
    return Arrays.stream(LakeFormat.values())
        .filter(format -> type.contains("." + format.label() + "."))
        .findFirst();
  }

  private TableCatalog catalog(SparkSession spark) {
    CatalogPlugin plugin;
    try {
      CatalogManager catalogs = classic(spark).sessionState().catalogManager();
      plugin = namesCatalog(spark) ? catalogs.catalog(parts.get(0)) : catalogs.currentCatalog();
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      String type = spark.conf().get("spark.sql.catalog." + parts.get(0), "");
      Arrays.stream(LakeFormat.values())
          .filter(format -> type.contains("." + format.label() + "."))
          .forEach(format -> format.require(toString()));
      throw invalid(
          "the catalogue of manifest table '%s' cannot be opened: %s".formatted(this, firstLine(e)),
          e);
    }
    if (parts.size() > 2 && !namesCatalog(spark)) {
      throw invalid(
          "manifest table '%s' names the catalogue '%s', which is not configured; set spark.sql.catalog.%2$s, as in %s"
              .formatted(this, parts.get(0), LakeFormat.ICEBERG.settings()),
          null);
    }
    if (plugin instanceof TableCatalog tables) {
      return tables;
    }
    throw invalid(
        "the catalogue '%s' of manifest table '%s' has no tables".formatted(plugin.name(), this),
        null);
  }

  private boolean namesCatalog(SparkSession spark) {
    return parts.size() > 1
        && classic(spark).sessionState().catalogManager().isCatalogRegistered(parts.get(0));
  }

  private Identifier identifier(SparkSession spark) {
    List<String> name = namesCatalog(spark) ? parts.subList(1, parts.size()) : parts;
    String[] namespace =
        name.size() == 1
            ? classic(spark).sessionState().catalogManager().currentNamespace()
            : name.subList(0, name.size() - 1).toArray(String[]::new);
    return Identifier.of(namespace, name.get(name.size() - 1));
  }

  /** A table that is named by its directory, as in {@code delta.`/tables/images`}. */
  private static boolean isPath(String[] namespace) {
    return namespace.length == 1 && namespace[0].equals(LakeFormat.DELTA.label());
  }

  private static boolean isDeltaDirectory(String directory, SparkSession spark) throws IOException {
    Path log = new Path(directory, "_delta_log");
    return log.getFileSystem(spark.sparkContext().hadoopConfiguration()).exists(log);
  }

  static String firstLine(Exception e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.lines().findFirst().orElse("").strip();
  }

  private static org.apache.spark.sql.classic.SparkSession classic(SparkSession spark) {
    return (org.apache.spark.sql.classic.SparkSession) spark;
  }

  private static LightmillException invalid(String message, Exception cause) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message, cause);
  }
}
