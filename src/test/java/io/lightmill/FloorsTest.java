package io.lightmill;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The house stands: a floor uses the floors below it, and rooms keep to their subject. */
class FloorsTest {

  private static final String PIPELINE = "io.lightmill.pipeline..";
  private static final String UDFS = "io.lightmill.udfs..";
  private static final String JOBS = "io.lightmill.jobs..";

  private static final JavaClasses HOUSE =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.lightmill");

  @Test
  void everyFloorIsLookedAt() {
    for (String floor : new String[] {PIPELINE, UDFS, JOBS}) {
      assertThat(HOUSE.that(resideInAPackage(floor))).as(floor).isNotEmpty();
    }
  }

  @Test
  void pipelineKnowsNoSparkAndNothingAbove() {
    noClasses()
        .that()
        .resideInAPackage(PIPELINE)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(UDFS, JOBS, "org.apache.spark..", "org.apache.hadoop..")
        .check(HOUSE);
  }

  @Test
  void udfsKnowNothingAbove() {
    noClasses()
        .that()
        .resideInAPackage(UDFS)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(JOBS)
        .check(HOUSE);
  }

  @Test
  void roomsOfThePipelineDoNotGoInCircles() {
    slices().matching("io.lightmill.pipeline.(*)..").should().beFreeOfCycles().check(HOUSE);
  }

  @Test
  void roomsOfTheUdfsDoNotGoInCircles() {
    slices().matching("io.lightmill.udfs.(*)..").should().beFreeOfCycles().check(HOUSE);
  }

  @Test
  void jobsEnterTheUdfsByTheirDoor() {
    noClasses()
        .that()
        .resideInAPackage(JOBS)
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.lightmill.udfs.*..")
        .check(HOUSE);
  }

  @Test
  void onlyTensorsAndTokenizersTouchTheEngine() {
    noClasses()
        .that(
            not(
                resideInAnyPackage(
                    "io.lightmill.pipeline.torch..", "io.lightmill.pipeline.text..")))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("ai.djl..")
        .check(HOUSE);
  }

  @Test
  void accessorsAreNamedForWhatTheyGive() {
    methods().that(areOurPublicInterface()).should().haveNameNotMatching("get[A-Z].*").check(HOUSE);
  }

  private static DescribedPredicate<JavaMethod> areOurPublicInterface() {
    return DescribedPredicate.describe(
        "are public, of public classes, and override nothing of a library",
        method ->
            method.getModifiers().contains(JavaModifier.PUBLIC)
                && method.getOwner().getModifiers().contains(JavaModifier.PUBLIC)
                && !overridesLibrary(method));
  }

  private static boolean overridesLibrary(JavaMethod method) {
    return Stream.concat(
            method.getOwner().getAllRawSuperclasses().stream(),
            method.getOwner().getAllRawInterfaces().stream())
        .filter(parent -> !parent.getPackageName().startsWith("io.lightmill"))
        .flatMap(parent -> parent.getMethods().stream())
        .anyMatch(inherited -> inherited.getName().equals(method.getName()));
  }
}
