// Reads image files with the readers of the C2PA project and of TrustNXT, as they are and altered.
//   node check.mjs MODULES ROOT.pem FILE…     MODULES: the directory with node_modules
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, root, ...files] = process.argv.slice(2);
const require = createRequire(pathToFileURL(join(modules, 'package.json')));
const load = name => import(pathToFileURL(require.resolve(name)));
const wasm = join(modules, 'node_modules/@contentauth/c2pa-wasm/pkg');
const { initSync, WasmReader } = await import(pathToFileURL(join(wasm, 'c2pa.js')));
initSync({ module: readFileSync(join(wasm, 'c2pa_bg.wasm')) });
const trustnxt = join(modules, 'node_modules/@trustnxt/c2pa-ts/dist');
const at = path => import(pathToFileURL(join(trustnxt, path)));
const { JPEG, PNG } = await at('asset/index.js');
const { SuperBox } = await at('jumbf/index.js');
const { ManifestStore, ValidationResult } = await at('manifest/index.js');

const TYPES = { png: 'image/png', jpg: 'image/jpeg', webp: 'image/webp' };
const settings = JSON.stringify({
  verify: { verify_trust: true },
  trust: {
    trust_anchors: readFileSync(root, 'utf8'),
    // E-mail protection, document signing, time stamping, C2PA claim signing.
    trust_config: '1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.5.5.7.3.8\n1.3.6.1.4.1.62558.2.1\n',
  },
});

/** What the reader of the C2PA project finds: its state, and the codes of failures. */
async function c2pa(bytes, type) {
  try {
    const reader = await WasmReader.fromBytes(type, bytes, settings);
    const found = JSON.parse(reader.json());
    reader.free();
    const active = found.validation_results?.activeManifest ?? {};
    return {
      state: found.validation_state,
      success: (active.success ?? []).map(it => it.code),
      failure: (active.failure ?? []).map(it => it.code),
      informational: (active.informational ?? []).map(it => it.code),
    };
  } catch (e) {
    return { state: 'Error', success: [], failure: [String(e)], informational: [] };
  }
}

/** What TrustNXT's reader finds; it has no WebP and no chains of trust. */
async function c2paTs(bytes) {
  try {
    const asset = PNG.canRead(bytes) ? new PNG(bytes) : JPEG.canRead(bytes) ? new JPEG(bytes) : undefined;
    if (!asset) return undefined;
    const store = await asset.getManifestJUMBF();
    const result = await ManifestStore.read(SuperBox.fromBuffer(store)).validate(asset);
    return result.isValid ? 'Valid' : 'Invalid';
  } catch (e) {
    return 'Invalid';
  }
}

/**
 * One bit changed outside of the manifest, at a place that the name of the file decides. In the
 * manifest, a few bytes of box headers say nothing that a signature could cover.
 */
function altered(bytes, file) {
  const jumb = Buffer.from(bytes).indexOf('jumb');
  const end = jumb + 8 + Buffer.from(bytes).readUInt32BE(jumb - 4);
  const from = 64; // behind the signatures of the formats, so that the file is still one
  const places = [];
  for (let i = from; i < bytes.length - 16; i++) if (i < jumb - 40 || i > end) places.push(i);
  const draw = createHash('sha256').update(file).digest();
  const copy = Uint8Array.from(bytes);
  copy[places[draw.readUInt32BE() % places.length]] ^= 1 << (draw[5] % 8);
  return copy;
}

const counts = {};
const count = (format, what) => { (counts[format] ??= {})[what] = (counts[format][what] ?? 0) + 1; };
const required = ['claimSignature.validated', 'assertion.dataHash.match', 'signingCredential.trusted'];
let wrong = 0;
for (const file of files) {
  const bytes = new Uint8Array(readFileSync(file));
  const format = file.slice(file.lastIndexOf('.') + 1);
  count(format, 'files');
  const whole = await c2pa(bytes, TYPES[format]);
  const fine = whole.state === 'Trusted' && whole.failure.length === 0
    && required.every(code => whole.success.includes(code));
  if (whole.success.includes('timeStamp.validated')) count(format, 'c2pa: time stamps validated');
  count(format, fine ? 'c2pa: trusted, signature and hash right' : 'c2pa: WRONG on the file');
  const ts = await c2paTs(bytes);
  if (ts) count(format, ts === 'Valid' ? 'c2pa-ts: valid' : 'c2pa-ts: WRONG on the file');
  const changed = altered(bytes, file);
  const after = await c2pa(changed, TYPES[format]);
  const caught = after.state === 'Invalid' || after.state === 'Error';
  count(format, caught ? 'c2pa: altered file invalid' : 'c2pa: WRONG on the altered file');
  const tsAfter = await c2paTs(changed);
  if (tsAfter) count(format, tsAfter === 'Invalid' ? 'c2pa-ts: altered file invalid' : 'c2pa-ts: WRONG on the altered file');
  if (!fine || !caught || ts === 'Invalid' || tsAfter === 'Valid') {
    wrong++;
    if (wrong <= 5) console.log(file, JSON.stringify(whole), ts, JSON.stringify(after), tsAfter);
  }
}
console.log(JSON.stringify(counts, null, 2));
process.exit(wrong ? 1 : 0);
