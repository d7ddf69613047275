"""NWB and netCDF files with the structure that pynwb and xarray write, by h5py alone."""

import h5py
import numpy as np

RATE = 30.0


def nwb(path, containers, *, module="behavior", nodes=None, skeletons=None):
    """Write an NWB file; ``containers`` are keyword arguments of :func:`container` by name.

    ``nodes`` are written as in ndx-pose 0.1, ``skeletons`` (nodes) as from 0.2 on.
    """
    with h5py.File(path, "w") as file:
        typed(file, "NWBFile", "core")
        for name in ("acquisition", "analysis", "general", "processing", "specifications/ndx-pose", "stimulus"):
            file.create_group(name)
        behavior = typed(file["processing"].create_group(module), "ProcessingModule", "core")
        for name, content in containers.items():
            group = container(behavior, name, **content)
            if nodes is not None:
                group["nodes"] = nodes
            if skeletons is not None:
                skeleton = typed(behavior.require_group(f"Skeletons/{name}_skeleton"), "Skeleton")
                skeleton["nodes"] = skeletons
                group[f"{name}_skeleton"] = h5py.SoftLink(skeleton.name)
    return path


def container(parent, name, *, series, kind="PoseEstimation"):
    """A container with series, by name: keyword arguments of :func:`point`."""
    group = typed(parent.create_group(name), kind)
    group["description"] = "positions"
    for keypoint, content in series.items():
        point(group, keypoint, **content)
    return group


def point(parent, name, *, data, confidence=None, times=None, rate=None, start=0.0, same_times_as=None, **attributes):
    """A series with ``times``, or those of another series, or a ``rate``; ``attributes`` are those of the data."""
    group = typed(parent.create_group(name), "PoseEstimationSeries")
    group["data"] = data
    group["data"].attrs.update({"conversion": 1.0, "offset": 0.0, "resolution": -1.0, "unit": "pixels", **attributes})
    if confidence is not None:
        group["confidence"] = confidence
    if same_times_as:
        group["timestamps"] = h5py.SoftLink(f"{parent.name}/{same_times_as}/timestamps")
    elif times is not None:
        group["timestamps"] = times
        group["timestamps"].attrs.update({"interval": 1, "unit": "seconds"})
    elif rate is not None:
        group["starting_time"] = start
        group["starting_time"].attrs.update({"rate": rate, "unit": "seconds"})
    return group


def typed(group, kind, namespace="ndx-pose"):
    group.attrs.update({"namespace": namespace, "neurodata_type": kind, "object_id": "0"})
    return group


def netcdf(path, variables, coordinates, attributes):
    """Write a netCDF 4 file.

    ``variables`` are (dimensions, values, attributes) by name, ``coordinates`` values by name. A coordinate that no
    variable has as a dimension is a single entry; a dimension without coordinate has no names.
    """
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        for name, values in coordinates.items():
            file[name] = values
        for name, (dimensions, values, own) in variables.items():
            file[name] = values
            file[name].attrs.update(own)
            for axis, dimension in enumerate(dimensions):
                if dimension not in file:
                    file[dimension] = np.zeros(np.shape(values)[axis], dtype=">f4")
                    file[dimension].make_scale("This is a netCDF dimension but not a netCDF variable.         2")
                if not file[dimension].is_scale:
                    file[dimension].make_scale(dimension)
                file[name].dims[axis].attach_scale(file[dimension])
    return path


def movement(path, position, confidence=None, *, drop=(), attributes=None, dimensions=None, **coordinates):
    """Write a dataset of poses as movement does.

    Parameters
    ----------
    position
        (time, space, keypoint, individual), or with the given ``dimensions``.
    confidence
        The same without space.
    drop
        Names of attributes and coordinates that are left out.
    coordinates
        In place of the usual ones.
    """
    dimensions = dimensions or ("time", "space", "keypoint", "individual")
    size = dict(zip(dimensions, np.shape(position), strict=True))
    variables = {"position": (dimensions, position, {"_FillValue": np.nan})}
    if confidence is not None:
        variables["confidence"] = ([name for name in dimensions if name != "space"], confidence, {})
    usual = {
        "time": np.arange(size["time"]) / RATE,
        "space": list("xyz")[: size["space"]],
        **{name: [f"{name} {i}" for i in range(size[name])] for name in dimensions if name not in ("time", "space")},
    }
    attributes = {"ds_type": "poses", "fps": [RATE], "time_unit": "seconds", "source_software": "SLEAP"} | (
        attributes or {}
    )
    return netcdf(
        path,
        variables,
        {name: values for name, values in (usual | coordinates).items() if name not in drop},
        {name: value for name, value in attributes.items() if name not in drop},
    )
