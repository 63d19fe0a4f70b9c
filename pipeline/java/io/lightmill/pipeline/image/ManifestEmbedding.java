package io.lightmill.pipeline.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * The place of a C2PA manifest store in an image file (C2PA specification 2.1, appendix A): a
 * {@code caBX} chunk of PNG, APP11 segments of JPEG, a {@code C2PA} chunk of WebP.
 *
 * @param store the manifest store, a JUMBF superbox
 * @param start of the chunk or the first segment in the file
 * @param length of the chunk or the segments, with their headers
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record ManifestEmbedding(byte[] store, int start, int length) {

  private static final String PNG_CHUNK = "caBX";

  /** Of a PNG: the signature and IHDR. */
  private static final int AFTER_IHDR = 8 + 12 + 13;

  private static final int PNG_OVERHEAD = 12;

  private static final int APP0 = 0xe0;
  private static final int APP1 = 0xe1;
  private static final int APP11 = 0xeb;
  private static final int BOX_HEADER = 8;

  /** Of a segment: marker, length, {@code JP}, box instance, sequence number. */
  private static final int JPEG_OVERHEAD = 2 + 2 + 2 + 2 + 4;

  private static final int MAX_SEGMENT = 0xffff - 2;
  private static final int MAX_PART = MAX_SEGMENT - (JPEG_OVERHEAD - 4) - BOX_HEADER;

  /**
   * Where a manifest store is inserted.
   *
   * @param start of the chunk or the first segment in the file
   * @param length of the chunk or the segments, with their headers
   */
  public record Place(int start, int length) {}

  /**
   * The place of a manifest store of this length.
   *
   * @param file a PNG, JPEG or WebP without one
   */
  public static Place place(byte[] file, int store) {
    if (RiffChunk.isWebp(file)) {
      return new Place(file.length, RiffChunk.HEADER + store + store % 2);
    }
    if (JpegSegment.isJpeg(file)) {
      int content = store - BOX_HEADER;
      int segments = (content + MAX_PART - 1) / MAX_PART;
      return new Place(endOfFirstSegments(file), content + segments * (JPEG_OVERHEAD + BOX_HEADER));
    }
    return new Place(AFTER_IHDR, PNG_OVERHEAD + store);
  }

  /**
   * SHA-256 of a file with a manifest store, without the store: that of the file before, unless its
   * header says how long it is.
   *
   * @param file without a store
   * @param digest SHA-256 of that file
   * @param store length of the store
   */
  public static byte[] hashWithout(byte[] file, byte[] digest, int store) {
    if (!RiffChunk.isWebp(file)) {
      return digest;
    }
    byte[] longer = file.clone();
    RiffChunk.setLength(longer, file.length + place(file, store).length());
    return DigestUtils.sha256(longer);
  }

  /**
   * Inserts a manifest store.
   *
   * @param file a PNG, JPEG or WebP without one
   */
  public static byte[] insert(byte[] file, byte[] store) {
    int start = place(file, store.length).start();
    byte[] inserted =
        RiffChunk.isWebp(file)
            ? new RiffChunk(RiffChunk.C2PA, store).toByteArray()
            : JpegSegment.isJpeg(file) ? segments(store) : chunk(store);
    byte[] result =
        ByteBuffer.allocate(file.length + inserted.length)
            .put(file, 0, start)
            .put(inserted)
            .put(file, start, file.length - start)
            .array();
    if (RiffChunk.isWebp(file)) {
      RiffChunk.setLength(result, result.length);
    }
    return result;
  }

  /** Finds the manifest store of a file; empty if it has none or is damaged. */
  public static Optional<ManifestEmbedding> find(byte[] file) {
    if (RiffChunk.isWebp(file)) {
      return RiffChunk.read(file).stream()
          .flatMap(List::stream)
          .filter(chunk -> chunk.type().equals(RiffChunk.C2PA))
          .findFirst()
          .map(
              chunk ->
                  new ManifestEmbedding(chunk.data(), chunk.start(), chunk.toByteArray().length));
    }
    return JpegSegment.isJpeg(file) ? inJpeg(file) : inPng(file);
  }

  /** The file as it was before a manifest store was inserted; a file without one is unchanged. */
  public static byte[] removed(byte[] file) {
    Optional<ManifestEmbedding> found = find(file);
    if (found.isEmpty()) {
      return file;
    }
    if (RiffChunk.isWebp(file)) {
      return RiffChunk.file(
          RiffChunk.read(file).orElseThrow().stream()
              .filter(chunk -> chunk.start() != found.get().start())
              .toList());
    }
    int end = found.get().start() + found.get().length();
    return ByteBuffer.allocate(file.length - found.get().length())
        .put(file, 0, found.get().start())
        .put(file, end, file.length - end)
        .array();
  }

  private static Optional<ManifestEmbedding> inPng(byte[] file) {
    if (!PngChunk.isPng(file)) {
      return Optional.empty();
    }
    int start = PngChunk.SIGNATURE.capacity();
    for (PngChunk chunk : PngChunk.read(file).orElse(List.of())) {
      int length = PNG_OVERHEAD + chunk.data().capacity();
      if (chunk.type().equals(PNG_CHUNK)) {
        byte[] store = new byte[chunk.data().capacity()];
        chunk.data().duplicate().get(store);
        return Optional.of(new ManifestEmbedding(store, start, length));
      }
      start += length;
    }
    return Optional.empty();
  }

  /** The first run of APP11 segments with JUMBF; later ones belong to other boxes. */
  private static Optional<ManifestEmbedding> inJpeg(byte[] file) {
    ByteArrayOutputStream store = new ByteArrayOutputStream();
    int start = -1;
    int length = 0;
    int position = 2;
    for (JpegSegment segment : JpegSegment.beforeScan(file)) {
      byte[] content = segment.content();
      boolean jumbf =
          segment.marker() == APP11
              && content.length > JPEG_OVERHEAD - 4 + BOX_HEADER
              && content[0] == 'J'
              && content[1] == 'P';
      if (jumbf) {
        int sequence = ByteBuffer.wrap(content).getInt(4);
        if (start >= 0 && sequence == 1) {
          break;
        }
        start = start < 0 ? position : start;
        int skipped = JPEG_OVERHEAD - 4 + (store.size() == 0 ? 0 : BOX_HEADER);
        store.write(content, skipped, content.length - skipped);
        length += content.length + 4;
      } else if (start >= 0) {
        break;
      }
      position += content.length + 4;
    }
    return start < 0
        ? Optional.empty()
        : Optional.of(new ManifestEmbedding(store.toByteArray(), start, length));
  }

  /** Readers expect JFIF, Exif and XMP first. */
  private static int endOfFirstSegments(byte[] file) {
    int position = 2;
    for (JpegSegment segment : JpegSegment.beforeScan(file)) {
      if (segment.marker() != APP0 && segment.marker() != APP1) {
        break;
      }
      position += segment.content().length + 4;
    }
    return position;
  }

  private static byte[] chunk(byte[] store) {
    byte[] type = PNG_CHUNK.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(type);
    crc.update(store);
    return ByteBuffer.allocate(PNG_OVERHEAD + store.length)
        .putInt(store.length)
        .put(type)
        .put(store)
        .putInt((int) crc.getValue())
        .array();
  }

  /** Each segment repeats the header of the box (ISO/IEC 19566-5, annex D). */
  private static byte[] segments(byte[] store) {
    ByteArrayOutputStream segments = new ByteArrayOutputStream();
    byte[] header = Arrays.copyOf(store, BOX_HEADER);
    int sequence = 1;
    for (int start = BOX_HEADER; start < store.length; start += MAX_PART) {
      int part = Math.min(MAX_PART, store.length - start);
      byte[] content =
          ByteBuffer.allocate(JPEG_OVERHEAD - 4 + BOX_HEADER + part)
              .put((byte) 'J')
              .put((byte) 'P')
              .putShort((short) 1)
              .putInt(sequence++)
              .put(header)
              .put(store, start, part)
              .array();
      segments.writeBytes(new JpegSegment(APP11, content).toByteArray());
    }
    return segments.toByteArray();
  }
}
