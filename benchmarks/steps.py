"""Each step of a finished build against a library for the same step: seconds, and quality of the result.

    python benchmarks/steps.py RUN RESULT.json [--repeats 3] [--labels FILE.npz]

RUN is a run folder of the default methods. Times of this package are the median of some repeats after a small job that
compiles; those of a library, and those of the graph, which has a process of its own, are measured once after a small
job that compiles. Agreement is the normalised mutual information of two clusterings on bins that are noise in neither.
FILE.npz holds `soft_labels` of the same bins by another program, to test the perceptron on.
"""

import argparse
import json
import statistics
import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from judge import agreement, stored_embedding, trustworthiness
from measuring import circumstances, timed, write
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.estimators import hdbscan_membership, hdbscan_tree, perceptron, umap
from bsoid_gpu.estimators.base import predict
from bsoid_gpu.estimators.initialisation import principal_components
from bsoid_gpu.kernels.fuzzy_graph import Graph, fuzzy_graph
from bsoid_gpu.kernels.neighbours import nearest
from bsoid_gpu.kernels.umap_layout import curve, layout
from bsoid_gpu.machine import PeakMemory
from bsoid_gpu.method import clustering, embedding
from bsoid_gpu.method.clustering import Clustering
from bsoid_gpu.method.columns import feature_names
from bsoid_gpu.method.held_out import random_part
from bsoid_gpu.run_folder.model_file import load_model
from bsoid_gpu.settings.schema import Settings

Floats = NDArray[np.float32]
Neighbours = tuple[Floats, NDArray[np.int32]]  # distances and indices, (bins, neighbours) each

SMALL_BINS, SMALL_NEIGHBOURS = 3_000, 50  # of the job that compiles
SEEDS = (23, 24)  # of umap-learn, whose results differ from each other too
CPU = CpuBackend()


class Job(NamedTuple):
    """A build whose steps are taken again: input (bins, columns) and result of its embedding, and its settings."""

    scaled: NDArray[np.float64]
    stored: Floats
    settings: Settings
    umap: umap.UmapSettings

    @property
    def points(self) -> Floats:
        """The bins as the kernels take them."""
        return np.ascontiguousarray(self.scaled, dtype=np.float32)

    @property
    def least(self) -> float:
        """Weight of an edge that fires once."""
        return 1 / self.umap.epochs

    @property
    def min_samples(self) -> int:
        """Neighbours that make a bin a core point."""
        return int(self.settings.clusters.min_samples)


def job_of(run: Path) -> Job:
    """The job of a run folder."""
    scaled, stored = stored_embedding(run)
    settings = load_model(run).settings
    return Job(scaled, stored, settings, umap.resolved(settings.embedding, len(scaled)))


def compile_kernels(job: Job) -> None:
    scaled = job.scaled[:SMALL_BINS]
    small = replace(job.umap, neighbours=min(SMALL_NEIGHBOURS, len(scaled)), epochs=20)
    positions = umap.fit(scaled, small, 0, CPU)
    tree = hdbscan_tree.single_linkage(positions, job.min_samples)
    hdbscan_tree.cut(tree, job.min_samples, job.settings.clusters.selection)


def neighbours(job: Job, repeats: int) -> tuple[Neighbours, dict[str, float]]:
    """Nearest neighbours of all bins, beside scikit-learn's; recall is the share of its neighbours that are ours."""
    k = job.umap.neighbours
    (distances, indices), ours = timed(nearest, job.points, k, CPU.threads, repeats=repeats)
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(job.points)
    (_, theirs), library = timed(search.kneighbors, job.points)
    recall = np.mean([len(np.intersect1d(*pair)) / k for pair in zip(indices[::37], theirs[::37], strict=True)])
    seconds = {"ours": ours, "scikit-learn, brute force": library}
    return (distances, indices), seconds | {"recall": round(float(recall), 6)}


def laid_out(job: Job, initial: Floats, graph: Graph) -> Floats:
    """Positions after all epochs."""
    u = job.umap
    a, b = curve(u.min_dist)
    seed = job.settings.seed
    for _, last in layout(initial, graph, a, b, u.epochs, u.negative_samples, u.learning_rate, seed):
        positions = last
    return positions


def our_umap(job: Job, known: Neighbours, repeats: int) -> tuple[Floats, dict[str, Any]]:
    """The embedding from known neighbours, and the seconds of its steps."""
    with CPU.repeatable():
        initial, of_initial = timed(
            principal_components, job.scaled, job.umap.dimensions, job.settings.seed, repeats=repeats
        )
    distances, indices = known
    graph = fuzzy_graph(distances.copy(), indices.copy(), job.least)  # it overwrites its input
    positions, of_layout = timed(laid_out, job, initial, graph, repeats=repeats)
    positions = embedding.separate_equal_rows(positions, job.settings.seed, CPU)
    return positions, {
        "initialisation_s": {"ours": of_initial},
        "layout_s": {"ours": of_layout},
        "same_bytes_as_the_build": positions.tobytes() == job.stored.tobytes(),
    }


def umap_learn(points: Floats, method: umap.UmapSettings, known: Neighbours, seed: int) -> Floats:
    """Graph, initialisation and layout of umap-learn on one thread, from known neighbours."""
    from umap import UMAP

    distances, indices = known
    fitted = UMAP(
        n_neighbors=method.neighbours,
        n_components=method.dimensions,
        min_dist=method.min_dist,
        n_epochs=method.epochs,
        precomputed_knn=(indices, distances),
        random_state=seed,
        n_jobs=1,
    ).fit(points)
    return np.asarray(fitted.embedding_, dtype=np.float32)


def their_umap(job: Job, known: Neighbours) -> tuple[dict[str, Floats], dict[str, float]]:
    """Embeddings of umap-learn with each seed, and the seconds of each, after a small one that compiles."""
    points = job.points
    small = points[:SMALL_BINS]
    method = replace(job.umap, neighbours=min(SMALL_NEIGHBOURS, len(small) - 1))
    umap_learn(small, method, nearest(small, method.neighbours), 0)
    fitted = {f"umap-learn, seed {seed}": timed(umap_learn, points, job.umap, known, seed) for seed in SEEDS}
    seconds = {
        f"{name}, one thread, with its graph and initialisation": seconds for name, (_, seconds) in fitted.items()
    }
    return {name: positions for name, (positions, _) in fitted.items()}, seconds


def graphs(known: Neighbours, least: float) -> dict[str, dict[str, float]]:
    """Seconds and memory of the fuzzy graph, ours and umap-learn's, each in a process of its own."""
    measured = {"ours": in_process(cost_of_our_graph, *known, least)}
    measured["umap-learn"] = in_process(cost_of_their_graph, *known)
    return {
        "graph_s": {name: seconds for name, (seconds, _) in measured.items()},
        "graph_memory_mb": {name: megabytes for name, (_, megabytes) in measured.items()},
    }


def in_process(function: Any, *arguments: Any) -> Any:
    """Result of a function in a separate process, to measure its memory."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def small_neighbours() -> Neighbours:
    return nearest(np.random.default_rng(0).random((SMALL_BINS, 3), dtype=np.float32), SMALL_NEIGHBOURS)


def cost_of_our_graph(distances: Floats, indices: NDArray[np.int32], least: float) -> tuple[float, int]:
    """Seconds, and MB by which the process grew."""
    fuzzy_graph(*small_neighbours())
    return grown(fuzzy_graph, distances, indices, least)


def cost_of_their_graph(distances: Floats, indices: NDArray[np.int32]) -> tuple[float, int]:
    """Seconds, and MB by which the process grew."""
    from umap.umap_ import fuzzy_simplicial_set

    def graph(distances: Floats, indices: NDArray[np.int32]) -> None:
        random = np.random.RandomState(0)  # umap-learn takes no newer generator
        fuzzy_simplicial_set(distances, indices.shape[1], random, "euclidean", knn_indices=indices, knn_dists=distances)

    graph(*small_neighbours())
    return grown(graph, distances, indices)


def grown(function: Any, *arguments: Any) -> tuple[float, int]:
    with PeakMemory() as memory:
        before = memory.megabytes
        _, seconds = timed(function, *arguments)
    return seconds, round(memory.megabytes - before)


def clusterings(job: Job, layouts: Mapping[str, Floats]) -> tuple[dict[str, Clustering], dict[str, Any]]:
    """Clusters of each embedding, how good the embedding and they are, and how far they agree."""
    labelled, quality = {}, {}
    for name, points in layouts.items():
        _, of_tree = timed(hdbscan_tree.single_linkage, points, job.min_samples)
        labelled[name], of_clusters = timed(clustering.cluster, points, job.settings.features.bin_s, job.settings, CPU)
        quality[name] = {
            "trustworthiness": trustworthiness(job.scaled, points),
            "clusters": int(labelled[name].membership.shape[1]),
            "noise_share": round(float(np.mean(labelled[name].hard < 0)), 4),
            "tree_s": of_tree,
            "clusters_s": of_clusters,
        }
    names = list(labelled)
    agreements = {
        f"{one} / {other}": agreement(labelled[one].hard, labelled[other].hard)
        for i, one in enumerate(names)
        for other in names[i + 1 :]
    }
    return labelled, {"quality": quality, "agreement": agreements}


def memberships(job: Job, points: Floats, min_cluster_size: int, repeats: int) -> dict[str, float | None]:
    """Seconds of the memberships, ours and hdbscan's, and the share of bins with the same likeliest cluster."""
    import hdbscan

    selection = job.settings.clusters.selection
    cut = hdbscan_tree.cut(hdbscan_tree.single_linkage(points, job.min_samples), min_cluster_size, selection)
    vectors, ours = timed(hdbscan_membership.membership_vectors, points, cut, repeats=repeats)
    fitted = hdbscan.HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=job.min_samples,
        cluster_selection_method=selection,
        approx_min_span_tree=False,
        prediction_data=True,
    ).fit(points.astype(np.float64))
    theirs, library = timed(hdbscan.all_points_membership_vectors, fitted)
    order = hdbscan_membership.same_clusters(cut.labels, fitted.labels_)
    alike = None if order is None else round(float(np.mean(vectors.argmax(1) == theirs[:, order].argmax(1))), 5)
    return {"ours": ours, "hdbscan": library, "bins_alike": alike}


def training_features(run: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Features (bins, columns) and soft labels (bins,) of the training bins."""
    table = pd.read_csv(run / "training.csv").dropna(subset="embedding_1")
    model = load_model(run)
    names = feature_names(model.keypoints, model.settings.features, model.dimensions)
    return table[names].to_numpy(), table["soft_label"].to_numpy(np.int64)


def perceptrons(x: NDArray[np.float64], labels: NDArray[np.int64], s: Settings) -> dict[str, float]:
    """Held-out accuracy on a random fifth, and seconds of a fit on one core: ours (three seeds) and scikit-learn's."""
    y = np.unique(labels, return_inverse=True)[1]
    scores, seconds = [], []
    for seed in (1, 2, 3):
        held_out = random_part(len(y), s.validation.held_out, np.random.default_rng(seed))
        with CPU.repeatable():
            fitted, of_fit = timed(
                perceptron.fit, x[~held_out], y[~held_out], int(y.max()) + 1, s.classifier, seed, CPU
            )
        scores.append(float(np.mean(predict(fitted, x[held_out]) == y[held_out])))
        seconds.append(of_fit)
    scaler = StandardScaler().fit(x[~held_out])
    theirs = MLPClassifier(s.classifier.hidden, early_stopping=True, random_state=0)
    with threadpool_limits(1, "blas"):
        _, library = timed(theirs.fit, scaler.transform(x[~held_out]), y[~held_out])
    return {
        "ours": round(statistics.mean(scores), 4),
        "ours_s": statistics.median(seconds),
        "scikit-learn": round(float(theirs.score(scaler.transform(x[held_out]), y[held_out])), 4),
        "scikit-learn_s": library,
    }


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--labels", type=Path)
    a = parser.parse_args()
    job = job_of(a.run)
    report: dict[str, Any] = {"what": __doc__.splitlines()[0], **circumstances("hdbscan")}
    report |= {"bins": len(job.scaled), "columns": job.scaled.shape[1], "neighbours": job.umap.neighbours}
    report |= {"epochs": job.umap.epochs, "repeats": a.repeats}

    compile_kernels(job)
    known, report["neighbours_s"] = neighbours(job, a.repeats)
    report |= graphs(known, job.least)
    positions, of_ours = our_umap(job, known, a.repeats)
    report |= of_ours
    print(json.dumps(report, indent=1), flush=True)
    theirs, of_theirs = their_umap(job, known)
    report["layout_s"] |= of_theirs
    labelled, of_clusters = clusterings(job, {"ours": positions, **theirs})
    report |= of_clusters
    size = int(labelled["ours"].sweep.query("chosen")["min_cluster_size"].iloc[0])
    report["memberships_s"] = memberships(job, positions, size, a.repeats)
    x, labels = training_features(a.run)
    report["held_out"] = {"own labels": perceptrons(x, labels, job.settings)}
    if a.labels:
        others = np.load(a.labels)["soft_labels"]
        report["held_out"][f"labels of {a.labels.name}"] = perceptrons(x, others, job.settings)
    write(report, a.result)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
