"""Wrong versions of the program, of one change each, that the tests must notice; `make mutants` runs them.

Each mutant is a copy of the checkout in a temporary folder, on which only the tests run that should fail. Before that
they run on a copy without a change, where they must pass. A change whose old text does not occur in its file exactly
once stops everything, so that the list follows the code.

Words after the command choose the mutants of the files whose names contain one of them:
`python tests/mutants.py perceptron umap`.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bsoid_gpu.machine import cores

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("bsoid_gpu", "tests", "benchmarks/results")
FAILED = 1  # pytest's exit code where tests fail; others say that they could not run
LONGEST_S = 900

# fmt: off
# by the file, below bsoid_gpu, and the tests that should notice, below tests: texts and what takes their place
CHANGES = {
    ("views/montage.py", "views/test_montage.py"): [
        ("number = counts[last] - counts[first]", "number = counts[last] - counts[first] + 1"),
        ("(bouts.stop[:-1] == bouts.start[1:]) & ", ""),  # across gaps
        ("return rows[np.lexsort((np.arange(len(rows)), turn))]", "return rows"),  # sessions not in turn
        ("edge = _in_turn(rest[::-1], session)", "edge = _in_turn(rest, session)"),
    ],
    ("views/pose_clips.py", "views/test_pose_clips.py"): [
        ("start = bout.start - step * ((bout.start - start) // step)", "pass"),  # the onset between two frames
    ],
    ("views/cameras.py", "views/test_pose_clips.py"): [
        ("np.where((rows >= 0)[:, None, None], points, np.nan)", "points"),
    ],
    ("views/map_data.py", "views/test_map_data.py"): [
        ("if best in number[:-1]:", "if False:"),  # two clusters with one number
        ("np.where(spread > 0, spread, 1.0)", "1.0"),
    ],
    ("views/server.py", "views/test_server.py"): [
        ("if secrets.compare_digest(given.encode(), token.encode()):", "if True:"),
        ('if name not in ("", "progress"):', 'if name in ("no",):'),
        ("path.chmod(0o600)", "pass"),
        ("int(length) > LARGEST_REQUEST", "False"),
    ],
    ("behaviours/names_file.py", "behaviours/test_names.py"): [
        ("if saved.version != behaviours.version:", "if False:"),
        ("if kept.exists() and not path.exists():", "if False:"),
        ("if saved.version > behaviours.version:", "if False:"),
    ],
    ("behaviours/names.py", "behaviours/test_names.py"): [
        ("parts = [one for one in self.behaviours if set(one.labels) & set(labels)]",
         "parts = [one for one in self.behaviours if set(one.labels) <= set(labels)]"),
    ],
    ("method/windows.py", "method/test_windows.py"): [
        ("at - (fits + 1) // 2", "at - fits // 2"),  # off the centre by a step
        ("(fits + 1) // 2", "(fits + 3) // 2"),
        ("2 * xp.minimum(at, frames - 1 - at) + 1, width", "2 * xp.minimum(at, frames - 1 - at), width"),
        ("else xp.round(edges)", "else xp.floor(edges + 0.5)"),  # halves go to the even number
        ("first_step(bins, bin_frames, phase) > steps", "first_step(bins, bin_frames, phase) >= steps"),
        ("2 * round(smoothing_s * fps) - 1", "2 * int(smoothing_s * fps + 0.5) - 1"),
        ("2 * round(smoothing_s * fps) - 1", "2 * round(smoothing_s * fps) + 1"),
    ],
    ("method/windows.py", "method/test_features.py"): [
        ("xp.minimum(at + half + 1, samples)", "xp.minimum(at + half, samples)"),
        ("xp.maximum(at - half, 0)", "xp.maximum(at - half + 1, 0)"),
    ],
    ("method/vectors.py", "method/test_features.py"): [
        ("b[..., 0] * a[..., 1] - b[..., 1] * a[..., 0]", "b[..., 1] * a[..., 0] - b[..., 0] * a[..., 1]"),
    ],
    ("method/features.py", "method/test_features.py"): [
        ("range(steps.start + 1, steps.stop + 1)", "range(steps.start, steps.stop)"),  # a bin's distances
        ("movements * bin_frames", "movements * round(bin_frames)"),
        ("math.ceil(bin_frames / 2) + 1", "math.ceil(bin_frames / 2) - 1"),  # what a chunk reads beyond its ends
    ],
    ("method/moments.py", "method/test_moments.py"): [
        ("delta * delta * (size / 2)", "delta * delta * size"),
        ("delta * delta * (count * share)", "delta * delta * share"),
        ("+ delta / 2", "+ delta"),
        ("// size % 2", "// size"),
    ],
    ("method/multiscale.py", "method/test_multiscale.py"): [
        ("math.ceil(max(widths) / 2) + 1", "math.ceil(max(widths) / 2) - 1"),
        ("at_steps(position) * bin_frames", "at_steps(position)"),
    ],
    ("method/windows.py", "method/test_multiscale.py"): [
        ("(start + stop + 1) // 2", "(start + stop) // 2"),  # the centre of a bin of an odd number of frames
    ],
    ("method/logarithms.py", "method/test_multiscale.py"): [
        ("values[:, start:stop] / bin_s", "values[:, start:stop]"),
        ("TURN: 10.0", "TURN: 1.0"),
        ("TURN_SCALE = 30.0", "TURN_SCALE = 3.0"),
    ],
    ("method/quantities.py", "method/test_quantities.py"): [
        ("body - length((left_hind + right_hind) / 2 - tail)", "body - length((left_hind + right_hind) - tail)"),
        ("turns((snout - tail)", "turns((tail - left_fore)"),
        ("for point in (snout, tail)", "for point in (tail, snout)"),
    ],
    ("method/units.py", "method/test_units.py"): [
        ("setdefault(session.recording, [])", "setdefault(session.pose.name, [])"),  # a part, not the recording
        ("position / unit_px", "position * unit_px"),
    ],
    ("method/labelling.py", "method/test_units.py"): [
        ("abs(fps / training_fps - 1)", "fps / training_fps - 1"),
        ("if comparable else 1.0", ""),
    ],
    ("method/likelihood.py", "method/test_likelihood.py"): [
        ("(first > 1)", "(first > 0)"),
        ("(first > 1)", "(first > 2)"),
        (" | xp.isinf(second)", ""),
        ("counts[1:, :] >= counts[:-1, :]", "counts[1:, :] > counts[:-1, :]"),
        (" | (frame == 0)", ""),
        ("(confidence >= threshold)", "(confidence > threshold)"),
        ("xp.where(first_good < frames, first_good, first_seen)", "first_seen"),
    ],
    ("method/preprocess.py", "method/test_preprocess.py"): [
        (
            "part.confidence[1:, 0, :] for part in parts])\n    seen = xp.concat([likelihood.present(part.position[1:,",
            "part.confidence[:, 0, :] for part in parts])\n    seen = xp.concat([likelihood.present(part.position[:,",
        ),
        ("settings.input.recording_of(pose.name), []", "pose.name, []"),  # thresholds of a part, not of the recording
    ],
    ("method/preprocess.py", "method/test_presence.py"): [
        ("xp.where(absent[:, None, None, None], xp.nan, pose.position)", "pose.position"),  # thresholds from absence
    ],
    ("method/session_features.py", "method/test_preprocess.py"): [
        ("seconds >= min_session_s", "seconds > min_session_s"),
    ],
    ("method/presence.py", "method/test_presence.py"): [
        (" | (np.diff(frame_numbers) != 1)", ""),  # a window spans a gap
        ("> math.floor(longest_frames)", "> 10**9"),  # absence is not cut out
        ("> math.floor(longest_frames)", ">= math.floor(longest_frames)"),
        ("following - last - 1", "following - last"),
    ],
    ("method/tracking_quality.py", "method/test_tracking_quality.py"): [
        ("JUMP_PX = 15.0", "JUMP_PX = 1.5"),
        ("JUMP_PX = 15.0", "JUMP_PX = 150.0"),
        ("JUMP_DEVIATIONS = 10.0", "JUMP_DEVIATIONS = 1.0"),
        ("JUMP_DEVIATIONS = 10.0", "JUMP_DEVIATIONS = 100.0"),
        ("STILL_PX = 1e-9", "STILL_PX = 1.0"),
        ("median + JUMP_DEVIATIONS * deviation", "JUMP_DEVIATIONS * deviation"),
        ("1.4826 * column_medians", "column_medians"),
        ("good[2:, :] & good[1:-1, :] & good[:-2, :]", "good[1:-1, :]"),
    ],
    ("method/array_quantiles.py", "method/test_tracking_quality.py"): [
        ("(number - 1) // 2", "number // 2"),
    ],
    ("method/subsample.py", "method/test_subsample.py"): [
        ("* max_bins // total", "* (max_bins // total + 1) % (max_bins + 1)"),
        ("(random[begin:end] * np.diff(edges))", "(2 * random[begin:end] * np.diff(edges))"),
        ("random[begin:end] * ", "0 * "),
        ("np.arange(end - begin + 1) * bins // max(end - begin, 1)", "np.arange(end - begin + 1)"),
    ],
    ("method/embedding.py", "method/test_embedding.py"): [
        ("STEPS = 8", "STEPS = 80"),
        ("xp.where(repeated[:, None], embedding + jitter, embedding)", "embedding + jitter"),
    ],
    ("method/scaling.py", "method/test_scaling.py"): [
        ('names = recordings if per == "session" else [TOGETHER] * len(recordings)', "names = recordings"),
        ("features[stop - bins : stop, :]", "features[: bins, :]"),
    ],
    ("method/clustering.py", "method/test_clustering.py"): [
        ("np.argsort(-counts", "np.argsort(counts"),
        ("order[counts[order] > 0]", "order"),
        ("soft[labelled[cKDTree(embedding[labelled]).query(embedding[unlabelled])[1]]]", "0"),
        ("np.argmax(membership, axis=1), fitted.hard", "fitted.hard, np.argmax(membership, axis=1)"),
    ],
    ("method/classification.py", "method/test_classification.py"): [
        ("(labels[parts[name]], predictions[name])", "(predictions[name], labels[parts[name]])"),
        ("list(parts)[-len(folds) :]", "list(parts)[-1:]"),
        ("[int(np.sum(~part)) for part", "[int(np.sum(part)) for part"),
        ("[i, : training[i]], order[i, training[i] :]", "[i, training[i] :], order[i, : training[i]]"),
        ('if not any(key.startswith(f"{name}/") for key in results)]', "]"),  # fits of the checkpoint are made again
        ("if not 0 < blocks.sum() < len(blocks):", "if False:"),
        ("classes = classes or int(labels.max()) + 1", "classes = int(labels.max()) + 1"),
        (" if array != LABELS}", "}"),
        ("ends[:-1]", "ends[:-1] - 1"),
    ],
    ("method/held_out.py", "method/test_classification.py"): [
        ("validation.block_s / bin_s", "validation.block_s * bin_s"),
        ("round(validation.block_s / bin_s)", "int(validation.block_s / bin_s)"),
        (" if 0 < part[rows].sum() < len(rows)}", "}"),
    ],
    ("method/held_out.py", "method/test_held_out.py"): [
        ("np.arange(bins) // block_bins for", "np.arange(bins) % block_bins for"),
        ("int(block[-1]) + 1 if len(block)", "int(block[-1]) if len(block)"),  # a block spans two sessions
        ("max(1, round(share * bins))", "round(share * bins)"),
        ("part[rows] for name, part in parts.items()", "part[: len(rows)] for name, part in parts.items()"),
        ("rng.permutation(bins) % folds", "rng.permutation(len(rows)) % folds"),
        ("{RANDOM: random_part(len(rows), validation.held_out, rng), **of_rows}", "of_rows"),
        ("0 < part[rows].sum()", "0 <= part[rows].sum()"),
    ],
    ("method/smoothing.py", "method/test_smoothing.py"): [
        ("LEAST = 1e-6", "LEAST = 1e-3"),
        ("(1.0 - stay) / (labels - 1)", "(1.0 - stay) / labels"),
        ("evidence.astype(np.float64) * weight", "evidence.astype(np.float64)"),
        ("_advance(before.copy(), evidence", "_advance(np.zeros_like(before), evidence"),
        ("if len(again) == 0:", "if True:"),  # blocks whose warm-up is too short stay as they are
        ("before[:, again] = ends[:, again - 1]", "pass"),
        ("np.maximum(current, steps.switch, out=current)", "pass"),
        ("+ steps.stay < steps.switch", "+ steps.stay < 0"),
        ("np.argmax(scores[row, :, block])", "np.argmax(scores[-1, :, block])"),
        ("np.flatnonzero(changed.T.reshape(-1)[:frames]) + 1", "np.flatnonzero(changed.T.reshape(-1)[:frames])"),
        ("stay == 0 or 0.5 <= stay < 1.0", "0.0 <= stay < 1.0"),
        ("0.5 <= stay < 1.0", "0.5 <= stay <= 1.0"),
    ],
    ("method/labelling.py", "method/test_labelling.py -k smooth"): [
        ("smoothing.evidence / (session.pose.fps * settings.bin_s)", "smoothing.evidence"),
        ("for segment in session.segments:\n        frames", "for segment in [range(len(labels))]:\n        frames"),
        ("(labels != most_probable) & (labels != UNSURE)", "labels != most_probable"),
    ],
    ("method/consensus.py", "method/test_consensus.py"): [
        ("1 + settings.validation.stability", "1"),
        ("(settings.seed + model) % 2**32", "settings.seed + model"),
        ("(settings.seed + model) % 2**32, model / models", "settings.seed, model / models"),
        ("% 2**32, model / models", "% 2**32, 0.0"),
        ("values / xp.where(lengths > 0, lengths, xp.ones_like(lengths))", "values"),
        ("CUT = 0.5", "CUT = 0.8"),
        ("CUT = 0.5", "CUT = 0.2"),
        ('"average"', '"single"'),
        ('"average"', '"complete"'),
        ("[:-1])\n\n\ndef returns", "[1:])\n\n\ndef returns"),
        ("of_model[of_model >= 0]", "of_model"),
        ("np.argsort(-sizes", "np.argsort(sizes"),
        ("np.where(sizes[order] > 0, np.arange(len(sizes)), -1)", "np.arange(len(sizes))"),
    ],
    ("estimators/joined.py", "estimators/test_joined.py"): [
        ("total / xp.where(whole > LEAST, whole, xp.ones_like(whole))", "total / len(self.groups)"),
        ("total = total + xp.matmul", "total = xp.matmul"),
        ('removeprefix(f"{i}.")', 'removeprefix("0.")'),
        ("self.groups[0].shape[1]", "self.groups[0].shape[0]"),
    ],
    ("workflows/stability.py", "workflows/test_stability.py"): [
        ("combinations(predicted, 2)", "combinations(predicted[:2], 2)"),
        ('"adjusted_rand": agreement.adjusted_rand,', '"adjusted_rand": agreement.adjusted_mutual_information,'),
        ("float(np.mean([measure(*pair) for pair in pairs]))", "float(np.max([measure(*pair) for pair in pairs]))"),
        ("counts >= RETURNS * models", "counts > RETURNS * models"),
        ("if count < RETURNS * models]", "if count <= RETURNS * models]"),
        ("np.ceil(RETURNS * models - 1e-9)", "np.floor(RETURNS * models)"),
        ("np.ceil(RETURNS * models - 1e-9)", "np.ceil(RETURNS * models + 1e-9)"),
        ('"the second model" if models == 2', '"the second model" if models == 3'),
    ],
    ("method/consensus.py", "workflows/test_stability.py"): [
        ("RETURNS = 0.6", "RETURNS = 0.5"),
        ("RETURNS = 0.6", "RETURNS = 0.7"),
    ],
    ("method/labelling.py", "method/test_labelling.py"): [
        ("confidence < min_confidence", "confidence > min_confidence"),
        ("confidence < min_confidence", "confidence <= min_confidence"),
    ],
    ("method/labelling.py", "workflows/test_assumptions.py"): [
        ("part * scale if scale != 1.0 else part", "part"),
    ],
    ("method/bouts.py", "method/test_bouts.py"): [
        ("number[last] + 1", "number[last]"),
        ("(np.diff(observed) != 0)) + 1", "(np.diff(observed) != 0))"),
        (" | (np.diff(number) != 1)", ""),  # a bout spans a gap
        (" | (np.diff(observed) != 0)", ""),
        ("labels = session.labels[session.observed]", "labels = session.labels"),  # absent frames in the shares
        (" & (np.diff(session.frame_numbers) == 1)", ""),
        ("counts.sum(axis=1, keepdims=True)", "counts.sum(axis=0, keepdims=True)"),
        ("(before, after), 1)", "(after, before), 1)"),
        ("frames / max(len(labels), 1)", "frames / max(int(np.sum(labels >= 0)), 1)"),
        ('"q90_s": 0.9}', '"q90_s": 0.95}'),
    ],
    ("method/reliability.py", "method/test_reliability.py"): [
        ("MAX_SESSION_INFORMATION = 0.5", "MAX_SESSION_INFORMATION = 0.05"),
        ("MIN_CLUSTERS = 4", "MIN_CLUSTERS = 8"),
        ("MAX_LABEL_SHARE = 0.5", "MAX_LABEL_SHARE = 0.3"),
        ("MAX_NOISE_SHARE = 0.5", "MAX_NOISE_SHARE = 0.4"),
        ("MAX_LOSS_ON_BLOCKS = 0.1", "MAX_LOSS_ON_BLOCKS = 0.05"),
    ],
    ("kernels/neighbours.py", "kernels/test_neighbours.py"): [
        ("MARGIN = np.float32(8 * 2.0**-24)", "MARGIN = np.float32(0.0)"),
        ("TINY = np.float32(2.0**-100)", "TINY = np.float32(0.0)"),
        ("products[i, :number] + width[columns[i, :number]]", "products[i, :number]"),
        (" + width[start + i]", ""),
        ("- 3 * error * squares", ""),
        ("if not as_float(words[-1]) < limit[i]:", "if False:"),
    ],
    ("kernels/fuzzy_graph.py", "kernels/test_fuzzy_graph.py"): [
        ("MIN_BANDWIDTH = 1e-3", "MIN_BANDWIDTH = 1e-2"),
        ("MIN_BANDWIDTH = 1e-3", "MIN_BANDWIDTH = 1e-4"),
        ("a + b - a * b\n", "max(a, b)\n"),
        ("target = np.log2(neighbours)", "target = np.log(neighbours)"),
    ],
    ("estimators/initialisation.py", "estimators/test_initialisation.py"): [
        ("vectors * xp.sign(largest)", "vectors"),
        ("vectors * xp.sign(largest)", "vectors * -xp.sign(largest)"),
        ("xp.sign(largest)", "xp.sign(vectors[0, :])"),
        ("xp.sign(largest)", "xp.sign(xp.sum(vectors, axis=0))"),
        ("xp.sign(largest)", "xp.sign(xp.max(vectors, axis=0))"),
    ],
    ("estimators/umap.py", "estimators/test_umap.py"): [
        ("bins <= SMALL_JOB", "bins < SMALL_JOB"),
        ("SMALL_JOB = 10_000", "SMALL_JOB = 10_001"),
        ("SMALL_JOB = 10_000", "SMALL_JOB = 100_000"),
        ("min(round(bins**0.5), MOST_NEIGHBOURS)", "min(int(bins**0.5), MOST_NEIGHBOURS)"),
    ],
    ("estimators/hdbscan.py", "estimators/test_hdbscan.py"): [
        ("round(share * bins)", "int(share * bins)"),
        ("round(share * bins)", "int(share * bins + 1)"),
        ("steps = round(", "steps = int("),
    ],
    ("estimators/hdbscan.py", "method/test_clustering.py"): [
        ("chosen = max(cuts, key", "chosen = max(reversed(cuts), key"),  # the last among equals
    ],
    ("estimators/hdbscan_tree.py", "estimators/test_hdbscan_tree.py"): [
        ("np.sort(edges[:, :2], axis=1)", "edges[:, :2]"),
        ("(ends[:, 1], ends[:, 0], edges[:, 2])", "(ends[:, 0], ends[:, 1], edges[:, 2])"),
        ("(ends[:, 1], ends[:, 0], edges[:, 2])", "(ends[:, 0], edges[:, 2])"),
        ("(ends[:, 1], ends[:, 0], edges[:, 2])", "(edges[:, 2],)"),
        ("below[node] <= score", "below[node] < score"),
        ("max(float(scores[node]), 0.0)", "float(scores[node])"),
    ],
    ("estimators/hdbscan_cuda.py", "estimators/test_hdbscan_cuda.py"): [
        ("joined[point] = joined[other]", "pass"),
        ("stays, goes = sorted(", "goes, stays = sorted("),
    ],
    ("estimators/hdbscan_membership.py", "estimators/test_hdbscan_membership.py"): [
        ("2 * most > sizes", "most > 0"),
        ("(lateness / lateness.sum(axis=1, keepdims=True))", "1"),
        ("/ np.maximum(nearest, density)", "/ nearest"),
    ],
    ("estimators/standard_scaler.py", "estimators/test_standard_scaler.py"): [
        ("CONSTANT = 1e-12", "CONSTANT = 0.0"),
        ("CONSTANT = 1e-12", "CONSTANT = 1e-9"),
        (" & (deviation > floor)", ""),
        ("deviation > floor", "deviation >= floor"),
        ("    1e-9  #", "    0.0  #"),
        ("    1e-9  #", "    1e-5  #"),
    ],
    ("estimators/network.py", "estimators/test_perceptron.py"): [
        ("/ (x.shape[-2] if rows is None else rows)", ""),
        ("((inputs * units, l2), (units, 0.0))", "((inputs * units, l2), (units, l2))"),
        ("((inputs * units, l2), (units, 0.0))", "((units, l2), (inputs * units, 0.0))"),
    ],
    ("estimators/gradient_descent.py", "estimators/test_gradient_descent.py"): [
        ("min(done / WARM_UP, (1 - done) / (1 - WARM_UP))", "(1 - done)"),
        ("min(done / WARM_UP, (1 - done) / (1 - WARM_UP))", "min(1.0, (1 - done) / (1 - WARM_UP))"),
        ("WARM_UP = 0.2", "WARM_UP = 0.1"),
        ("settings.learning_rate * min(1.0, math.sqrt(bins / batches / FULL_BATCH))", "settings.learning_rate"),
        ("min(1.0, math.sqrt(bins / batches / FULL_BATCH))", "math.sqrt(bins / batches / FULL_BATCH)"),
        ("math.sqrt(bins / batches / FULL_BATCH)", "bins / batches / FULL_BATCH"),
        ("EPOCH_UPDATES = 50", "EPOCH_UPDATES = 10"),
        ("* correction", ""),
        ("if held_out else order", ""),
    ],
    ("estimators/perceptron.py", "estimators/test_perceptron.py"): [
        ("+ decay * state.parameters", "+ 0 * state.parameters"),
        ("+ decay * state.parameters", "+ settings.l2 * state.parameters"),
        ("corrected_step(epoch * batches + batch, settings.max_epochs * batches, largest)", "largest"),
        ("max_epochs * batches, largest)", "max_epochs * batches, settings.learning_rate)"),
    ],
    ("estimators/perceptron_stack.py", "estimators/test_perceptron_stack.py"): [
        ("+ decay * state.parameters", "+ 0 * state.parameters"),
        (", padded.rows[batch, ...])", ")"),  # padding counts
        ("if batch < min(numbers) else _where(step > 0, updated, state)", "if True else state"),
        ("SHUFFLE + epoch", "SHUFFLE"),
        ("epoch * number + batch", "epoch * max(numbers) + batch"),
        ("xp.minimum(start + place, count - 1)", "start + place"),
        ("weight * correct(", "correct("),
        ("running = best.stale < settings.patience", "running = best.stale < settings.max_epochs"),
        ("accuracy >= best.accuracy", "accuracy > best.accuracy"),
        ("accuracy > best.accuracy + settings.tolerance", "accuracy > best.accuracy"),
        ("gained = running & ", "gained = "),
    ],
    ("estimators/random_forest.py", "estimators/test_random_forest.py -k 'not build'"): [
        ("xp.float64) <= xp.take", "xp.float64) < xp.take"),
        ("probabilities[:, classes.astype(int)]", "probabilities[:, np.arange(len(classes))]"),
        ("max_depth=settings.max_depth or None", "max_depth=None"),
    ],
    ("workflows/cost.py", "workflows/test_cost.py"): [
        ("PARSE_S, TABLE_S, WORKERS_START_S = 0.015, 2.4e-7, 1.5", f"PARSE_S, TABLE_S, WORKERS_START_S = {values}")
        for values in ("0.15, 2.4e-7, 1.5", "0.015, 2.4e-6, 1.5", "0.015, 2.4e-7, 15")
    ] + [
        ("LABELS = 30", "LABELS = 300"),
        ("BASE_MB = 400.0", "BASE_MB = 4000.0"),
        ("WORKER_MB = 250.0", "WORKER_MB = 2500.0"),
        ("4.0 * job.largest_mb", "40 * job.largest_mb"),
        ("(1.4 + TABLE_S", "(14 + TABLE_S"),
        ("Speed(0.0129, 0.0074)", "Speed(0.129, 0.0074)"),
        ("Speed(0.0129, 0.0074)", "Speed(0.0129, 0.074)"),
        ("3 + settings.validation.folds", "1"),
    ],
    ("estimators/umap.py", "workflows/test_cost.py"): [
        ("= 4e-3, 3e-5, 3.9e-7, 2.4e-8, 3e-11", f"= {values}")
        for values in (
            "4e-2, 3e-5, 3.9e-7, 2.4e-8, 3e-11",
            "4e-3, 3e-4, 3.9e-7, 2.4e-8, 3e-11",
            "4e-3, 3e-5, 3.9e-6, 2.4e-8, 3e-11",
            "4e-3, 3e-5, 3.9e-7, 2.4e-7, 3e-11",
            "4e-3, 3e-5, 3.9e-7, 2.4e-8, 3e-10",
        )
    ] + [
        ("n * (k * 27 + d * 24)", "10 * n * (k * 27 + d * 24)"),
    ],
    ("estimators/hdbscan.py", "workflows/test_cost.py"): [
        ("START_S, TREE_S = 1.4, 3.7e-6", "START_S, TREE_S = 14, 3.7e-6"),
        ("START_S, TREE_S = 1.4, 3.7e-6", "START_S, TREE_S = 1.4, 3.7e-5"),
        ("host_bytes=n * 900", "host_bytes=n * 9000"),
    ],
    ("estimators/perceptron.py", "workflows/test_cost.py"): [
        ("START_S, WEIGHT_S = 0.1, 0.9e-10", "START_S, WEIGHT_S = 1, 0.9e-10"),
        ("START_S, WEIGHT_S = 0.1, 0.9e-10", "START_S, WEIGHT_S = 0.1, 0.9e-9"),
        ("3 * 8 * size.bins", "30 * 8 * size.bins"),
    ],
    ("estimators/random_forest.py", "workflows/test_cost.py"): [
        ("START_S, SORT_S = 0.2, 1.2e-7", "START_S, SORT_S = 2, 1.2e-7"),
        ("START_S, SORT_S = 0.2, 1.2e-7", "START_S, SORT_S = 0.2, 1.2e-6"),
        ("NODE_BYTES = 40", "NODE_BYTES = 400"),
    ],
    ("files.py", "test_files.py"): [
        ("{uuid.uuid4().hex}.{_host()}.{os.getpid()}", "{path.name}"),
        ("{uuid.uuid4().hex}", "{0:032}"),  # threads of one process
    ],
    ("pose.py", "test_pose.py"): [
        ("if infinite:", "if infinite < 0:"),
        ("if unknown:", "if unknown < 0:"),
    ],
    ("fields.py", "settings/test_settings.py"): [
        (" and math.isfinite(number)", ""),
        ("low <= number <= high", "low <= number"),
    ],
    ("log.py", "test_log.py"): [
        ("= logger.level", "= logging.ERROR"),  # the level after a capture
    ],
    ("run_folder/store.py", "run_folder/test_store.py"): [
        ('Making(**manifest["making"])', 'Making(**{**manifest["making"], "versions": machine.versions()})'),
        ("if place.is_dir() and place.name not in current:", "if False:"),
        ("place.name not in current", "place.name in current"),
        ('{"stage": name, "version": version, "inputs": inputs}', '{"stage": name, "inputs": inputs}'),
        ('{"stage": name, "version": version, "inputs": inputs}', '{"stage": name, "version": version}'),
        ("if stage.content_digest() != stage.digest:", "if False:"),
        ("shutil.rmtree(part, ignore_errors=True)", "pass"),
    ],
    ("run_folder/checkpoint.py", "run_folder/test_store.py"): [
        ('{"key": self._key, "digest": arrays.digest_of(named)}', '{"key": self._key}'),
        ('{"key": self._key, "digest": arrays.digest_of(named)}', '{"digest": arrays.digest_of(named)}'),
    ],
    ("run_folder/arrays.py", "run_folder/test_arrays.py"): [
        ("name: np.ascontiguousarray(array)", "name: array"),
        ("{array.dtype.str} {array.shape}", "{array.dtype.str}"),
        ("{array.dtype.str} {array.shape}", "{array.shape}"),
        ("for name in sorted(named):", "for name in named:"),
    ],
    ("run_folder/model_file.py", "run_folder/test_model_file.py"): [
        ("self.thresholds[name] for i, name in enumerate(sorted(self.thresholds))",
         "self.thresholds[name] for i, name in enumerate(self.thresholds)"),
        ("self.scales[name] for i, name in enumerate(sorted(self.scales))",
         "self.scales[name] for i, name in enumerate(self.scales)"),
    ],
    ("run_folder/migrations.py", "run_folder/test_model_file.py"): [
        ('"stability": False, ', ""),
        ('"smallest_s": 0.0, ', ""),
    ],
    ("run_folder/codecs.py", "run_folder/test_codecs.py"): [
        ("for i, item in enumerate(value)]", "for i, item in enumerate(value[::-1])]"),
        ('f"{path}.{name}" if path else str(name)', "str(name)"),
        ('value.to_dict("split")', 'value.reset_index(drop=True).to_dict("split")'),
        ("arrays[path] = to_host(value)", "arrays[path] = value"),
    ],
    ("run_folder/stages.py", "run_folder/test_stages.py"): [
        ('"features": digest,\n        "training_bins"', '"training_bins"'),
        ('digest,\n        "labels": arrays.digest_of({"labels": labels, **parts}),', "0,"),
        ('digest,\n        "labels": arrays.digest_of({"labels": labels, "blocks": blocks}),', "0,"),
        ('arrays.digest_of({"labels": labels, **parts})', "0"),
        ('arrays.digest_of({"labels": labels, "blocks": blocks})', "0"),
        ('{"features": digest, "rows"', '{"rows"'),
        ('"training_bins": features.shape[0],', ""),
        ('"standardise": settings.features.standardise,', ""),
        ('standardise,\n        "seed": settings.seed,', "standardise,"),
        ('"seed": settings.seed, "bin_s"', '"bin_s"'),
        ('"seed": settings.seed,\n        "joined"', '"joined"'),
        ('"seed": settings.seed,\n    }\n    return', "}\n    return"),
        ('"embedding": store.stages[EMBEDDING].digest, ', ""),
        (', "bin_s": bin_s, ', ", "),
        ('{"labels": labels, **parts}', "parts"),
        ('{"labels": labels, **parts}', '{"labels": labels}'),
        ('{"labels": labels, "blocks": blocks}', '{"blocks": blocks}'),
        ('{"labels": labels, "blocks": blocks}', '{"labels": labels}'),
        ('"classes": classes,\n        "seed": settings.seed,\n        "joined"', '"seed": settings.seed, "joined"'),
        ('"classes": classes,\n        "seed": settings.seed,\n    }', '"seed": settings.seed}'),
        ("None if joined is None else arrays.digest_of(on_host(joined.arrays(), backend))", "joined is None"),
        (', "rows": arrays.digest_of({"rows": rows})}', "}"),
        ('"settings": as_dict(settings),', ""),
        ('"backend": backend.name,', ""),
        ('"estimator": estimator.name,\n        "settings": as_dict(settings),', ""),
    ],
    ("workflows/extraction.py", "workflows/test_extraction.py"): [
        ("(settings.input, settings.likelihood, settings.features)", "(settings.likelihood, settings.features)"),
        ("(settings.input, settings.likelihood, settings.features)", "(settings.input, settings.features)"),
        ("(settings.input, settings.likelihood, settings.features)", "(settings.input, settings.likelihood)"),
        ('"files": list(digests.items()),', '"files": list(digests),'),
        ('"keypoints": list(self.keypoints),', ""),
        ('"keypoints": list(self.keypoints),', '"keypoints": sorted(self.keypoints),'),
    ],
    ("workflows/recording_labels.py", "workflows/test_predict.py -k upgrade"): [
        ('"bsoid_gpu": __version__, ', ""),
        ('"labelling": labelling.VERSION, ', ""),
        (', "tables": tables.VERSION', ""),
    ],
    ("io/frame_numbers.py", "io/test_frame_numbers.py"): [
        ("if np.any(steps < 0):", "if False:"),
        ("if np.any(steps == 0):", "if False:"),
        ("(len(steps) - 1) // 2", "0"),
    ],
    ("io/session_twins.py", "workflows/test_twins.py"): [
        ("left_out.add(second.name)", "left_out.add('')"),
        ("if match.equal and first.frames == second.frames:", "if match.equal:"),
    ],
    ("io/arrange.py", "io/test_deeplabcut.py"): [
        (" | all_coordinates(position, lambda x: x == -1)", ""),
        ("all_coordinates(position, lambda x: x == 0) | ", ""),
        ("(confidence >= 0) & ", ""),
    ],
    ("io/arrange.py", "io/test_deeplabcut_csv.py"): [
        ("FARTHEST = 1e9", "FARTHEST = 1e11"),
        ("(seen & ~near", "(finite & ~near"),
    ],
    ("io/jabs.py", "io/test_jabs.py"): [
        ("yx[..., ::-1]", "yx"),
    ],
    ("io/sleap_labels.py", "io/test_sleap_labels.py"): [
        ("position -= 0.5", "position -= 0.0"),
    ],
    ("io/restricted_pickle.py", "io/test_restricted_pickle.py"): [
        ("elif name not in NO_EFFECT:", f"elif name not in NO_EFFECT | {{{name!r}}}:")
        for name in ("GLOBAL", "STACK_GLOBAL")
    ],
    ("workflows/discovery.py", "workflows/test_subsampled.py -k scale"): [
        ("if session.recording not in scales:", "if False:"),
    ],
    ("doctor/result.py", "doctor/test_result.py"): [
        ("measured >= bound", "not measured < bound"),
        ("measured <= bound", "measured < bound"),
    ],
    ("doctor/comparisons.py", "doctor/test_comparisons.py -k 'not seed'"): [
        ("np.maximum(exact, np.median(exact))", "exact"),
        ("np.sort(exact[:, 2]), np.sort(measured[:, 2])", "exact[:, 2], measured[:, 2]"),
        ("(0.5, 0.99, 1.0)", "(0.5, 0.99, 0.99)"),
        ("max(tolerances.CLUSTERS.value, ", "min(tolerances.CLUSTERS.value, "),
    ],
    ("doctor/judge.py", "doctor/test_comparisons.py -k agreement"): [
        ("(one >= 0) & (other >= 0)", "(one >= 0) | (other >= 0)"),
        (" if both.any() else 0.0", ""),
    ],
    ("doctor/proof_record.py", "doctor/test_proof.py -k more_memory"): [
        ("row = at_most(name, peak_gb, estimated_gb, text)", "row = information(name, text)"),
    ],
    ("doctor/card_memory.py", "doctor/test_card_memory.py"): [
        ("after[0] - before[1]", "after[1] - before[0]"),
        ("            peak = now\n", ""),
        ("peak = max(peak, now)", "peak = now"),
    ],
}
# fmt: on


class Mutant(NamedTuple):
    file: str
    tests: str
    old: str
    new: str

    def problem(self) -> str:
        """Why it cannot be made; empty where it can."""
        times = (ROOT / "bsoid_gpu" / self.file).read_text(encoding="utf-8").count(self.old)
        return "" if times == 1 else f"bsoid_gpu/{self.file}: {self.old!r} occurs {times} times; expected once"

    def make(self, folder: Path) -> None:
        file = folder / "bsoid_gpu" / self.file
        file.write_text(file.read_text(encoding="utf-8").replace(self.old, self.new), encoding="utf-8")


MUTANTS = [Mutant(*where, *change) for where, changes in CHANGES.items() for change in changes]


def copy(source: Path, folder: Path) -> None:
    """Copy the checkout with numba's compiled code, which is beside its source and bears the time of that file."""
    for name in COPIED:
        shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy2(source / "pyproject.toml", folder)


def run(tests: str, folder: Path) -> tuple[int, str]:
    """Exit code of pytest, and what it says."""
    path, *options = shlex.split(tests)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not hpc and not browser",
    ]
    # in a common folder, numba would not take the compiled code of another copy
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment["PYTHONPATH"] = str(folder)
    try:
        done = subprocess.run(
            [*command, f"tests/{path}", *options],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=LONGEST_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, f"no end after {LONGEST_S} s"
    return done.returncode, done.stdout + done.stderr


def is_killed(mutant: Mutant, original: Path) -> bool:
    """Whether the tests fail on the mutant; says so in a line."""
    with tempfile.TemporaryDirectory() as folder:
        copy(original, Path(folder))
        mutant.make(Path(folder))
        code, output = run(mutant.tests, Path(folder))
    change = f"{mutant.file}: {mutant.old!r} -> {mutant.new!r}"
    if code == FAILED:
        by = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
        say(f"killed    {change}, by {by[1] if by else mutant.tests}")
    elif code == 0:
        say(f"SURVIVED  {change}, in spite of {mutant.tests}")
    else:
        say(f"NOT RUN   {change}: {output[-1000:]}")
    return code == FAILED


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(names: list[str]) -> int:
    mutants = [mutant for mutant in MUTANTS if not names or any(name in mutant.file for name in names)]
    problems = [problem for mutant in mutants if (problem := mutant.problem())]
    if problems:
        say("\n".join(problems))
        return 2
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cores()) as pool:
        original = Path(folder)
        copy(ROOT, original)
        every = list(dict.fromkeys(mutant.tests for mutant in mutants))
        for tests, (code, output) in zip(every, pool.map(lambda tests: run(tests, original), every), strict=True):
            if code:
                say(f"{tests} fails without a change:\n{output}")
                return 2
        killed = list(pool.map(lambda mutant: is_killed(mutant, original), mutants))
    say(f"{sum(killed)} of {len(killed)} mutants are killed")
    return 0 if all(killed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
