"""Ray Data over a prompt table: an actor that holds diffusers' pipeline, images, and a Parquet manifest.

One actor, with all threads: on two cores, two actors leave Ray no processor for its own write tasks, and the job never
ends. Prints one line of JSON: images, and the seconds of start (Ray and the table) and drawing (the actor's load too,
which Ray begins with the first batch).
"""

import argparse
import itertools
import os
import pathlib
import time

import table


class Drawing:
    """What an actor does with each batch, a data frame of rows of the table."""

    def __init__(self, checkpoint, output, threads, tokens):
        self.pipeline = table.load(checkpoint, threads)
        self.output = pathlib.Path(output)
        self.tokens = tokens

    def __call__(self, frame):
        rows = frame.to_dict("records")
        paths = {}
        for _, group in itertools.groupby(sorted(rows, key=table.shape), key=table.shape):
            group = list(group)
            for row, image in zip(group, table.draw(self.pipeline, group, self.tokens)):
                paths[row["id"]] = str(self.output / f"{row['id']}.png")
                image.save(paths[row["id"]])
        return frame.assign(path=[paths[row["id"]] for row in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("table")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--tokens", type=int, required=True, help="tokens that prompts are padded to")
    options = parser.parse_args()

    begin = time.perf_counter()
    import ray

    here = str(pathlib.Path(__file__).resolve().parent)
    environment = {"PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])}
    ray.init(
        num_cpus=max(2, options.threads),
        include_dashboard=False,
        logging_level="ERROR",
        runtime_env={"env_vars": {**environment, "OMP_NUM_THREADS": str(options.threads)}},
    )
    options.output.mkdir(parents=True, exist_ok=True)
    prompts = ray.data.read_csv(options.table)
    ready = time.perf_counter()
    arguments = (options.checkpoint, str(options.output), options.threads, options.tokens)
    images = prompts.map_batches(
        Drawing, fn_constructor_args=arguments, batch_size=options.batch, batch_format="pandas", concurrency=1, num_cpus=1
    )
    images.write_parquet(str(options.output / "manifest"))
    count = len(list(options.output.glob("*.png")))
    table.report(count, ready - begin, 0, time.perf_counter() - ready)


if __name__ == "__main__":
    main()
