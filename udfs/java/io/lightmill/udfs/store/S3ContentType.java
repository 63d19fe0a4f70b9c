package io.lightmill.udfs.store;

import java.util.Map;
import java.util.stream.Collectors;
import software.amazon.awssdk.core.SdkRequest;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * Sets the content type of S3 objects, so that browsers show images instead of downloading them.
 * Hadoop 3.4 puts the type into the user metadata, which S3 does not use. Installed through {@code
 * fs.s3a.audit.execution.interceptors}.
 */
public final class S3ContentType implements ExecutionInterceptor {

  private static final String CONTENT_TYPE = "Content-Type";

  @Override
  public SdkRequest modifyRequest(
      Context.ModifyRequest context, ExecutionAttributes executionAttributes) {
    return context.request() instanceof PutObjectRequest put
            && put.metadata().containsKey(CONTENT_TYPE)
        ? typed(put)
        : context.request();
  }

  private static PutObjectRequest typed(PutObjectRequest put) {
    Map<String, String> rest =
        put.metadata().entrySet().stream()
            .filter(entry -> !entry.getKey().equals(CONTENT_TYPE))
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    return put.toBuilder().contentType(put.metadata().get(CONTENT_TYPE)).metadata(rest).build();
  }
}
