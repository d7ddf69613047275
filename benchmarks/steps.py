"""Each step of a finished build against a library for the same step: seconds, and quality of the result.

    python benchmarks/steps.py RUN RESULT.json [--runs 3] [--labels FILE.npz]

RUN is a run folder. Times of this package are the median of some runs after one that compiles; those of a library are
one run after a small one that compiles. Agreement is the normalised mutual information of two clusterings on bins that
are noise in neither. FILE.npz holds `soft_labels` of the same bins by another program, to test the perceptron on.
"""

import argparse
import json
import platform
import re
import statistics
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from judge import agreement, trustworthiness
from safetensors.numpy import load_file
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.estimators import hdbscan_membership, hdbscan_tree, perceptron
from bsoid_gpu.estimators.initialisation import part_ties, principal_start
from bsoid_gpu.kernels.fuzzy_graph import fuzzy_graph
from bsoid_gpu.kernels.neighbours import nearest
from bsoid_gpu.kernels.umap_layout import curve, descend
from bsoid_gpu.machine import machine, versions
from bsoid_gpu.method import classification, clustering, embedding, features
from bsoid_gpu.run_folder import model_file

SMALL = 3_000  # bins of the run that compiles
SEEDS = (23, 24)


def timed(function, *arguments, runs=1, **keywords):
    """Last result, and median of the seconds."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        result = function(*arguments, **keywords)
        seconds.append(time.perf_counter() - started)
    return result, round(statistics.median(seconds), 2)


def umap_learn(scaled, method, known):
    """umap-learn's graph, initialisation and layout; ``known`` are neighbours (indices, distances) and the seed."""
    from umap import UMAP

    return UMAP(
        n_neighbors=method.neighbours,
        n_components=method.dimensions,
        min_dist=method.min_dist,
        n_epochs=method.epochs,
        precomputed_knn=known[:2],
        random_state=known[2],
        n_jobs=1,
    ).fit(scaled)


def graph_of_umap_learn(distances, indices):
    """Seconds, and MB by which the process grew."""
    from umap.umap_ import fuzzy_simplicial_set

    def graph(distances, indices):
        neighbours = {"knn_indices": indices, "knn_dists": distances}
        fuzzy_simplicial_set(distances, indices.shape[1], np.random.RandomState(0), "euclidean", **neighbours)

    graph(*nearest(np.random.default_rng(0).random((SMALL, 3), dtype=np.float32), 50))
    return grown(graph, distances, indices)


def graph_of_ours(distances, indices, least):
    """Seconds, and MB by which the process grew."""
    fuzzy_graph(*nearest(np.random.default_rng(0).random((SMALL, 3), dtype=np.float32), 50))
    return grown(fuzzy_graph, distances, indices, least)


def grown(function, *arguments):
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = memory_mb("VmRSS")
    _, seconds = timed(function, *arguments)
    return seconds, round(memory_mb("VmHWM") - before)


def memory_mb(name):
    """VmRSS, the memory of this process, or VmHWM, its peak."""
    return int(re.search(rf"{name}:\s*(\d+)", Path("/proc/self/status").read_text())[1]) * 1.024 / 1e3


def in_process(function, *arguments):
    """Run a function in a separate process, to measure its memory."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def perceptrons(run, s, other_labels):
    """Held-out accuracy on a random fifth and seconds of a fit on one core, ours (three seeds) and scikit-learn's."""
    table = pd.read_csv(run / "training.csv").dropna(subset="embedding_1")
    x = table[features.feature_names(model_file.load_model(run).keypoints)].to_numpy()
    report = {}
    for name, y in {"own labels": table["soft_label"].to_numpy(np.int64), **other_labels}.items():
        y = np.unique(y, return_inverse=True)[1]
        scores, seconds = [], []
        for seed in (1, 2, 3):
            held_out = classification.random_part(len(y), s.classifier.held_out, np.random.default_rng(seed))
            of = x[~held_out], y[~held_out], int(y.max()) + 1, s.classifier, seed, np.asarray
            with threadpool_limits(1, "blas"):
                fitted, taken = timed(perceptron.fit, *of)
            scores.append(float(np.mean(perceptron.predict(fitted, x[held_out]) == y[held_out])))
            seconds.append(taken)
        scaler = StandardScaler().fit(x[~held_out])
        theirs = MLPClassifier(s.classifier.hidden, early_stopping=True, random_state=0)
        with threadpool_limits(1, "blas"):
            _, taken = timed(theirs.fit, scaler.transform(x[~held_out]), y[~held_out])
        report[name] = {
            "ours": round(statistics.mean(scores), 4),
            "ours_s": statistics.median(seconds),
            "scikit-learn": round(float(theirs.score(scaler.transform(x[held_out]), y[held_out])), 4),
            "scikit-learn_s": taken,
        }
    return report


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--labels", type=Path)
    arguments = parser.parse_args()
    run, result, runs = arguments.run, arguments.result, arguments.runs
    s = model_file.load_model(run).settings
    scaled = load_file(run / "stages" / "embedding" / "arrays.safetensors")["scaled"]
    method, backend = embedding.resolved(s.embedding, len(scaled)), CpuBackend()
    data, k = np.ascontiguousarray(scaled, dtype=np.float32), method.neighbours
    a, b = curve(method.min_dist)
    report = {"what": __doc__.splitlines()[0], "machine": machine(), "versions": versions()}
    report["machine"] |= {"system": f"{platform.system()} {platform.machine()}"}
    report["machine"].pop("host")
    report |= {"bins": len(data), "columns": data.shape[1], "neighbours": k, "epochs": method.epochs, "runs": runs}

    small = fuzzy_graph(*nearest(data[:SMALL], 50), least=1 / method.epochs)
    descend(principal_start(scaled[:SMALL], method.dimensions, s.seed), small, a, b, 20, 5, 1.0, 0)
    (distances, indices), seconds = timed(nearest, data, k, runs=runs)
    finder = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(data)
    (_, theirs), library = timed(finder.kneighbors, data)
    recall = np.mean([len(np.intersect1d(*pair)) / k for pair in zip(indices[::37], theirs[::37], strict=True)])
    report["neighbours_s"] = {"ours": seconds, "scikit-learn, brute force": library, "recall": round(float(recall), 6)}

    graph, seconds = timed(  # of copies, since it overwrites its input
        lambda: fuzzy_graph(distances.copy(), indices.copy(), least=1 / method.epochs), runs=runs
    )
    start, of_start = timed(principal_start, scaled, method.dimensions, s.seed, runs=runs)
    report["graph_s"], report["start_s"] = {"ours": seconds}, {"ours": of_start}
    layout, seconds = timed(
        descend, start, graph, a, b, method.epochs, method.negative_samples, method.learning_rate, s.seed, runs=runs
    )
    layout = part_ties(layout, s.seed, backend.to_host)
    report["layout_s"] = {"ours": seconds}

    umap_learn(data[:SMALL], replace(method, neighbours=50), (*nearest(data[:SMALL], 50)[::-1], 0))  # compiles
    report["graph_s"]["umap-learn"], of_theirs = in_process(graph_of_umap_learn, distances, indices)
    report["graph_memory_mb"] = {
        "ours": in_process(graph_of_ours, distances, indices, 1 / method.epochs)[1],
        "umap-learn": of_theirs,
    }
    print(json.dumps(report, indent=1), flush=True)
    layouts = {"ours": layout}
    for seed in SEEDS:
        fitted, seconds = timed(umap_learn, data, method, (indices, distances, seed))
        layouts[f"umap-learn, seed {seed}"] = fitted.embedding_
        report["layout_s"][f"umap-learn, seed {seed}, one thread, with its graph and start"] = seconds

    clusterings, report["quality"] = {}, {}
    for name, points in layouts.items():
        linkage, of_tree = timed(backend.single_linkage, points, s.clusters.min_samples)
        clusterings[name], of_rest = timed(clustering.cluster, points, s.clusters, backend)
        report["quality"][name] = {
            "trustworthiness": trustworthiness(scaled, points),
            "clusters": int(clusterings[name].membership.shape[1]),
            "noise_share": round(float(np.mean(clusterings[name].hard < 0)), 4),
            "tree_s": of_tree,
            "clusters_s": of_rest,
        }
    names = list(clusterings)
    report["agreement"] = {
        f"{one} / {other}": agreement(clusterings[one].hard, clusterings[other].hard)
        for i, one in enumerate(names)
        for other in names[i + 1 :]
    }

    size = int(clusterings["ours"].sweep.query("chosen")["min_cluster_size"].iloc[0])
    linkage = backend.single_linkage(layout, s.clusters.min_samples)
    cut = hdbscan_tree.cut(linkage, size, s.clusters.selection)
    vectors, seconds = timed(hdbscan_membership.membership_vectors, layout, cut, runs=runs)
    report["memberships_s"] = {"ours": seconds} | of_hdbscan(layout, size, s, cut, vectors)
    other_labels = (
        {f"labels of {arguments.labels.name}": np.load(arguments.labels)["soft_labels"]} if arguments.labels else {}
    )
    report["held_out"] = perceptrons(run, s, other_labels)
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


def of_hdbscan(layout, size, s, cut, vectors):
    """Seconds of hdbscan for the same memberships, and share of bins with the same cluster."""
    import hdbscan

    fitted = hdbscan.HDBSCAN(
        min_cluster_size=size,
        min_samples=s.clusters.min_samples,
        cluster_selection_method=s.clusters.selection,
        approx_min_span_tree=False,
        prediction_data=True,
    ).fit(layout.astype(np.float64))
    theirs, seconds = timed(hdbscan.all_points_membership_vectors, fitted)
    order = hdbscan_membership.same_clusters(cut.labels, fitted.labels_)
    same = None if order is None else float(np.mean(np.argmax(vectors, 1) == np.argmax(theirs[:, order], 1)))
    return {"hdbscan": seconds, "bins_alike": same and round(same, 5)}


if __name__ == "__main__":
    main()
