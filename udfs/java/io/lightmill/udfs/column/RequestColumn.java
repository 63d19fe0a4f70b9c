package io.lightmill.udfs.column;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;

/**
 * A column of prompt tables that Lightmill reads: how its values are read, validated, stored in the
 * manifest and made part of a request and of an image's identity. {@link RequestColumns} has them
 * all.
 *
 * @param <T> type of its values
 */
public final class RequestColumn<T> {

  private final String name;
  private final List<String> otherNames;
  private final ColumnType<T> type;
  private final ColumnCheck<T> check;
  private final Optional<RowError> missing;
  private final Function<PipelineLimits, T> fallback;
  private final Optional<Function<ImageRequest, T>> fromRequest;
  private final BiConsumer<ImageRequest.Builder, T> toRequest;
  private final IdentityPart<T> identity;
  private final Optional<ColumnOption> option;
  private final boolean defaultedByJob;

  private RequestColumn(Builder<T> entry) {
    name = entry.name;
    otherNames = List.copyOf(entry.otherNames);
    type = entry.type;
    check = entry.check;
    missing = Optional.ofNullable(entry.missing);
    fallback = entry.fallback;
    fromRequest = Optional.ofNullable(entry.fromRequest);
    toRequest = entry.toRequest;
    identity = entry.identity;
    option = Optional.ofNullable(entry.option);
    defaultedByJob = entry.defaultedByJob || entry.option != null;
  }

  /** As tables, manifests and messages spell it. */
  public String name() {
    return name;
  }

  /** Names that other tools use for the same, such as {@code steps}. */
  public List<String> otherNames() {
    return otherNames;
  }

  /** The job option that gives the column its value in rows that have none, where there is one. */
  public Optional<ColumnOption> defaults() {
    return option;
  }

  /** Whether a job may give the value of rows that have none. */
  public boolean isDefaultedByJob() {
    return defaultedByJob;
  }

  /** Whether the column is a part of the request, and so a column of the manifest. */
  public boolean inRequest() {
    return fromRequest.isPresent();
  }

  /** Spark type of the manifest field. */
  public DataType sparkType() {
    return type.spark();
  }

  /** A value as the manifest holds it. */
  public Object toSpark(T value) {
    return type.toSpark().apply(value);
  }

  /** The value in a row that has this column as the manifest holds it. */
  public T fromSpark(Row row) {
    return type.fromSpark().apply(row.getAs(name));
  }

  /**
   * Reads the text of a table cell.
   *
   * @param text empty or null where the row has no value, which then is {@code otherwise}
   * @return null, with an error added, if the text is not of the column's type or a required value
   *     is missing
   */
  public T read(String text, T otherwise, RequestLimits limits, List<RowError> errors) {
    if (isAbsent(text)) {
      if (otherwise == null) {
        missing.ifPresent(errors::add);
      }
      return checked(otherwise, limits, errors);
    }
    if (limits.refused().contains(name)) {
      errors.add(
          new RowError(
              ErrorCode.VALUE_INVALID,
              "%s '%s' cannot be sent to the hosted model, which has no field for it; leave it empty, or let the run leave it out (--unsent-values=ignore)"
                  .formatted(name, ColumnType.abbreviated(text))));
      return null;
    }
    return parse(text, limits, errors);
  }

  /** As {@link #read}, of a text that is a value even if it is empty. */
  public T parse(String text, RequestLimits limits, List<RowError> errors) {
    try {
      return checked(type.parsing().parse(name, text), limits, errors);
    } catch (LightmillException e) {
      errors.add(new RowError(e.code(), e.getMessage()));
      return null;
    }
  }

  /** The same value, with an error added if the column does not accept it. Accepts null. */
  public T checked(T value, RequestLimits limits, List<RowError> errors) {
    error(value, limits).ifPresent(errors::add);
    return value;
  }

  /** Whether a value can be read and is valid. */
  public boolean accepts(T value, RequestLimits limits) {
    return value != null && error(value, limits).isEmpty();
  }

  private Optional<RowError> error(T value, RequestLimits limits) {
    return value == null ? Optional.empty() : check.error(name, value, limits);
  }

  private boolean isAbsent(String text) {
    return text == null
        || type.absent().test(text)
        || (missing.isPresent() && InvisibleCharacters.isBlank(text));
  }

  /** The value of rows and jobs that give none; null for none. */
  public T fallback(PipelineLimits checkpoint) {
    return fallback.apply(checkpoint);
  }

  /** The value in a request; null if the request has none, or no such field. */
  public T of(ImageRequest request) {
    return fromRequest.map(field -> field.apply(request)).orElse(null);
  }

  /** Makes a value a part of a request; nothing where requests have no such field. */
  void put(ImageRequest.Builder request, T value) {
    toRequest.accept(request, value);
  }

  /** Adds the column to the parts of an image's identity, if it decides pixels. */
  void identify(ImageRequest request, Map<String, String> adapters, Map<String, Object> parts) {
    if (inRequest()) {
      identity.put(parts, name, of(request), adapters);
    }
  }

  @Override
  public String toString() {
    return name;
  }

  static <T> Builder<T> named(String name, ColumnType<T> type) {
    return new Builder<>(name, type);
  }

  /** Collects what an entry of the registry says. */
  static final class Builder<T> {

    private final String name;
    private final ColumnType<T> type;
    private List<String> otherNames = List.of();
    private ColumnCheck<T> check = ColumnCheck.none();
    private RowError missing;
    private Function<PipelineLimits, T> fallback = checkpoint -> null;
    private Function<ImageRequest, T> fromRequest;
    private BiConsumer<ImageRequest.Builder, T> toRequest = (request, value) -> {};
    private IdentityPart<T> identity;
    private ColumnOption option;
    private boolean defaultedByJob;

    private Builder(String name, ColumnType<T> type) {
      this.name = name;
      this.type = type;
      this.identity =
          (parts, column, value, adapters) ->
              parts.put(column, value == null ? null : type.toJson().apply(value));
    }

    Builder<T> otherNames(String... names) {
      otherNames = List.of(names);
      return this;
    }

    Builder<T> check(ColumnCheck<T> accepted) {
      check = accepted;
      return this;
    }

    /** Makes a row without a value invalid. */
    Builder<T> required(ErrorCode code, String message) {
      missing = new RowError(code, message);
      return this;
    }

    Builder<T> fallback(Function<PipelineLimits, T> value) {
      fallback = value;
      return this;
    }

    /** Makes the column a field of requests, a manifest column and a part of the identity. */
    Builder<T> field(Function<ImageRequest, T> from, BiConsumer<ImageRequest.Builder, T> to) {
      fromRequest = from;
      toRequest = to;
      return this;
    }

    /** Instead of the plain value, which is always present. */
    Builder<T> identity(IdentityPart<T> part) {
      identity = part;
      return this;
    }

    Builder<T> option(String key, String label, String help) {
      option = new ColumnOption(key, label, help);
      return this;
    }

    /** Lets a job give a default without an option that is the column's own. */
    Builder<T> defaultedByJob() {
      defaultedByJob = true;
      return this;
    }

    RequestColumn<T> build() {
      return new RequestColumn<>(this);
    }
  }
}
