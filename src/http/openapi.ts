/** The OpenAPI document: every path, what it takes and what it answers. */
import { MOST_CLIPS, MOST_EVENTS, MOST_PICTURES, MOST_RECORDS, ref, type Schema, SCHEMAS, VERDICTS } from './openapi-schemas.ts';

interface Media { readonly schema: Schema }
type Content = Readonly<Record<string, Media>>;
interface Answer { readonly description: string; readonly content?: Content; readonly headers?: Readonly<Record<string, Media & { readonly description: string }>> }
interface Parameter { readonly name: string; readonly in: 'path' | 'query' | 'header'; readonly required: boolean; readonly description: string; readonly schema: Schema }

interface Operation {
  readonly summary: string;
  readonly tags: readonly [string];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Answer>>;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

type Path = Readonly<Partial<Record<'get' | 'post' | 'patch' | 'delete', Operation>>>;

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly paths: Readonly<Record<string, Path>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly securitySchemes: Readonly<Record<string, Schema>> };
}

const json = (name: string): Content => ({ 'application/json': { schema: ref(name) } });
const answer = (description: string, name: string): Answer => ({ description, content: json(name) });
const page = (description: string): Answer => ({ description, content: { 'text/html': { schema: { type: 'string' } } } });
const takes = (name: string): { required: true; content: Content } => ({ required: true, content: json(name) });
const error = (description: string): Answer => answer(description, 'Error');
const plainError = (description: string): Answer => answer(description, 'PlainError');

/** Any route may refuse like this before it looks at the request. */
const refusals = { 401: error('The token is missing or wrong.'), 403: error('The Host or the Origin is not ours, or a page of another site has it made.'), 429: error('Too many wrong tokens came from this address; Retry-After says for how many seconds it is refused.') };
/** What the routes of the Flask orchestrator answer when they cannot do it. */
const oldFaults = { ...refusals, 413: plainError('More than 1 MB.'), 500: plainError('Something failed here.'), 503: plainError('Not now; try again.') };
const faults = { ...refusals, 413: error('More than 1 MB.'), 500: error('Something failed here.'), 503: error('Not now; try again.') };

const cameraParameter: Parameter = { name: 'camera_id', in: 'path', required: true, description: 'The camera, percent-encoded.', schema: { type: 'string' } };
const clipParameter: Parameter = { name: 'id', in: 'path', required: true, description: 'id of the clip, percent-encoded.', schema: { type: 'string' } };
const eventParameter: Parameter = { name: 'id', in: 'path', required: true, description: 'id of the event.', schema: { type: 'string' } };
const modelParameter: Parameter = { name: 'name', in: 'path', required: true, description: 'The model.', schema: { type: 'string' } };
const ruleParameter: Parameter = { name: 'name', in: 'path', required: true, description: 'The rule.', schema: { type: 'string' } };
const followerParameter: Parameter = { name: 'name', in: 'path', required: true, description: 'The follower.', schema: { type: 'string' } };
const queryParameter = (name: string, description: string, schema: Schema): Parameter => ({ name, in: 'query', required: false, description, schema });

const headerParameter = (name: string, description: string): Parameter => ({ name, in: 'header', required: false, description, schema: { type: 'string' } });

const paths: Readonly<Record<string, Path>> = {
  '/start_stream': {
    post: {
      summary: 'Start a stream', tags: ['Start and stop'], requestBody: takes('StartStream'),
      responses: { 200: answer('It started, or it was running already.', 'Started'), 400: plainError('Which field is missing or wrong; unknown models name the known ones.'), 409: plainError('There are max_streams already.'), ...oldFaults },
    },
  },
  '/start_streams': {
    post: {
      summary: 'Start several streams', tags: ['Start and stop'], requestBody: takes('StartStreams'),
      responses: { 200: answer('A result for each, in the order of the request; some may be errors.', 'StartedStreams'), 400: plainError('No list of streams.'), ...oldFaults },
    },
  },
  '/stop_stream': {
    post: {
      summary: 'Stop a stream; its open batch is recorded', tags: ['Start and stop'], requestBody: takes('StopStream'),
      responses: { 200: answer('It stopped, or it was not running.', 'Stopped'), 400: error('The camera id is missing or wrong.'), ...faults },
    },
  },
  '/api/probe': {
    post: {
      summary: 'Look at a camera for some seconds, 15 at the most, without starting it', tags: ['Start and stop'], requestBody: takes('ProbeRequest'),
      responses: {
        200: answer('What it sends, and a picture.', 'Probe'), 400: error('What is wrong with the request.'), 502: error('Why nothing is to be seen.'), ...faults, 503: error('Too many cameras are being looked at.'),
      },
    },
  },
  '/api/streams': {
    get: {
      summary: 'All streams and the books, or what has changed', tags: ['Streams'],
      parameters: [queryParameter('since', 'The version of an earlier answer: only streams that have changed since, and the names of those that are gone. An age alone is no change.', { type: 'string' })],
      responses: { 200: answer('Streams with their state.', 'Streams'), 400: error('since was given more than once.'), ...faults },
    },
  },
  '/api/streams/{camera_id}': {
    get: {
      summary: 'One stream', tags: ['Streams'], parameters: [cameraParameter],
      responses: { 200: answer('Its state.', 'StreamStatus'), 400: error('The path cannot be decoded.'), 404: error('No such stream.'), ...faults },
    },
    patch: {
      summary: 'Change a stream; where something is another thing then, it starts again', tags: ['Streams'], parameters: [cameraParameter], requestBody: takes('StreamChange'),
      responses: { 200: answer('Its state after the change.', 'StreamStatus'), 400: error('What is wrong with the change.'), 404: error('No such stream.'), ...faults },
    },
    delete: {
      summary: 'Stop a stream and forget it and its address; what it captured is recorded', tags: ['Streams'], parameters: [cameraParameter],
      responses: { 200: answer('It is gone.', 'Removed'), 400: error('It stands in lookout.yaml, or the path cannot be decoded.'), 404: error('No such stream.'), ...faults },
    },
  },
  '/api/models': {
    get: { summary: 'Models and the state of their environments', tags: ['Models'], responses: { 200: answer('All models, and those used by default.', 'Models'), ...faults } },
  },
  '/api/models/{name}/log': {
    get: {
      summary: 'What a model printed last', tags: ['Models'], parameters: [modelParameter],
      responses: { 200: answer('Up to 200 lines, oldest first; none before its first start.', 'ModelLog'), 404: error('There is no such model.'), ...faults },
    },
  },
  '/api/cameras': {
    get: { summary: 'The camera table', tags: ['Cameras'], responses: { 200: answer('All cameras, as the table writes them.', 'Cameras'), ...oldFaults } },
    post: {
      summary: 'Add a camera', tags: ['Cameras'], requestBody: takes('AddCamera'),
      responses: { 200: answer('It is in the table.', 'CameraAdded'), 400: plainError('A field is missing or wrong, or the id is taken.'), ...oldFaults },
    },
  },
  '/api/cameras/{camera_id}/latest.jpg': {
    get: {
      summary: 'Latest picture of a camera; one on demand is woken for it', tags: ['Cameras'],
      parameters: [cameraParameter, queryParameter('wake', 'false: the newest that is there, and nobody is woken.', { type: 'boolean', default: true })],
      responses: {
        200: {
          description: 'The picture.', content: { 'image/jpeg': { schema: { type: 'string', contentMediaType: 'image/jpeg' } } },
          headers: {
            'X-Frame-Time': { description: 'When it was captured.', schema: { type: 'string', format: 'date-time' } },
            Age: { description: 'Seconds since then.', schema: { type: 'integer' } },
          },
        },
        400: error('The path cannot be decoded, or wake is wrong.'), 404: error('No picture yet.'), ...faults, 502: error('It was woken, and gave none within 15 s.'), 503: error('It was woken, and its pictures cannot be stored.'),
      },
    },
  },
  '/api/cameras/{camera_id}/frames': {
    post: {
      summary: 'A camera brings a picture', tags: ['Cameras'], security: [{ camera: [] }, { cameraBearer: [] }],
      parameters: [
        cameraParameter,
        headerParameter('X-Captured-At', 'When it was taken: RFC 3339, or seconds since 1970; left out, or more than 60 s off, it is when it came.'),
        headerParameter('X-Finding', 'What the camera says that it has seen: class;confidence;x1,y1,x2,y2, with the class percent-encoded, and all but the class if they are known. May be there up to 100 times.'),
      ],
      requestBody: { required: true, content: { 'image/jpeg': { schema: {} }, 'image/png': { schema: {} } } },
      responses: {
        ...faults, 202: answer('It is here: stored, or let go.', 'Pushed'), 400: error('It is torn or cannot be decoded, or which header is wrong.'), 401: error('The camera\'s key is missing or wrong.'), 404: error('The camera has no stream.'),
        408: error('Nothing of it came for 30 s, or not all of it within 15 minutes.'), 409: error('Its stream does not run, or does not take what is pushed.'), 413: error('More than push_max_bytes.'), 415: error('It is neither a JPEG nor a PNG.'), 429: error('Too many wrong keys came from this address.'),
        503: error('Its stream takes none now, or the key cannot be read; send it again in a moment.'),
      },
    },
  },
  '/api/cameras/{camera_id}/live.mp4': {
    get: {
      summary: 'Live video of a camera, as it sends it', tags: ['Cameras'], parameters: [cameraParameter],
      responses: {
        200: { description: 'Fragmented MP4 from a key frame on, a fragment for each picture; it ends when the camera is lost or its pictures become other ones. Who reads slowly skips pictures.', content: { 'video/mp4': { schema: { type: 'string', contentMediaType: 'video/mp4' } } } },
        400: error('The path cannot be decoded.'), 404: error('It is not being captured.'), 415: error('It sends no H.264 or H.265, or ffmpeg captures it: stream.mjpeg shows its pictures.'), 502: error('It was lost, or is on demand and gave nothing within 15 s.'), ...faults, 503: error('Too many watch.'),
      },
    },
  },
  '/api/cameras/{camera_id}/stream.mjpeg': {
    get: {
      summary: 'The pictures of a camera, each when it is captured', tags: ['Cameras'], parameters: [cameraParameter],
      responses: {
        200: { description: 'A part for each picture, with X-Frame-Time, the newest first of all.', content: { 'multipart/x-mixed-replace': { schema: { type: 'string' } } } },
        400: error('The path cannot be decoded.'), 404: error('It is not being captured.'), 502: error('It is away, unless it pushes, and its newest picture is an old one, or it is on demand and gave nothing within 15 s.'), ...faults, 503: error('Too many watch.'),
      },
    },
  },
  '/api/cameras/{camera_id}/clips': {
    post: {
      summary: 'Keep a clip of a camera', tags: ['Clips'], parameters: [cameraParameter], requestBody: takes('ClipRequest'),
      responses: {
        201: answer('The clip is there; where it holds less than was asked for, reason says why.', 'Clip'),
        400: error('What is wrong with the request.'), 404: error('It is not being captured.'), 415: error('It sends no H.264 or H.265, or ffmpeg captures it.'), 502: error('Nothing came that a clip could begin with.'), ...faults, 503: error('Too many watch, or the disk is full.'),
      },
    },
  },
  '/api/clips': {
    get: {
      summary: 'Clips, newest first', tags: ['Clips'],
      parameters: [queryParameter('camera_id', 'Of this camera only.', { type: 'string' }), queryParameter('limit', 'At most so many.', { type: 'integer', minimum: 1, maximum: MOST_CLIPS, default: 50 })],
      responses: { 200: answer('Clips.', 'Clips'), 400: error('Which parameter is wrong.'), ...faults },
    },
  },
  '/api/clips/{id}': {
    get: { summary: 'One clip', tags: ['Clips'], parameters: [clipParameter], responses: { 200: answer('What it holds.', 'Clip'), 400: error('The path cannot be decoded.'), 404: error('No such clip.'), ...faults } },
    delete: { summary: 'Remove a clip', tags: ['Clips'], parameters: [clipParameter], responses: { 200: answer('It is gone.', 'ClipRemoved'), 400: error('The path cannot be decoded.'), 404: error('No such clip.'), ...faults } },
  },
  '/api/clips/{id}/clip.mp4': {
    get: {
      summary: 'The video of a clip, whole or in ranges', tags: ['Clips'], parameters: [clipParameter],
      responses: {
        200: { description: 'MP4, whose index stands first.', content: { 'video/mp4': { schema: { type: 'string', contentMediaType: 'video/mp4' } } } },
        206: { description: 'The range that was asked for.', content: { 'video/mp4': { schema: { type: 'string', contentMediaType: 'video/mp4' } } } },
        400: error('The path cannot be decoded.'), 404: error('No such clip.'), 416: error('It has no such range.'), ...faults,
      },
    },
  },
  '/api/records': {
    get: {
      summary: 'Records, newest first', tags: ['Records'],
      parameters: [
        queryParameter('id', 'The record of this batch only.', { type: 'string' }),
        queryParameter('camera_id', 'Of this camera only.', { type: 'string' }),
        queryParameter('model', 'Only those that this model looked at.', { type: 'string' }),
        queryParameter('since', 'Only those whose first frame was captured at or after this time.', { type: 'string', format: 'date-time' }),
        queryParameter('limit', `At most so many; with pictures ${MOST_PICTURES} is the most.`, { type: 'integer', minimum: 1, maximum: MOST_RECORDS, default: 50 }),
        queryParameter('pictures', `With the snapshots in base64, at most ${MOST_PICTURES} records.`, { type: 'boolean', default: false }),
      ],
      responses: { 200: answer('Records in the generation in which they were written.', 'Records'), 400: error('Which parameter is wrong.'), ...faults },
    },
  },
  '/api/records/{id}/picture.jpg': {
    get: {
      summary: 'Picture of a record', tags: ['Records'],
      parameters: [
        { name: 'id', in: 'path', required: true, description: 'batch.id of the record, percent-encoded.', schema: { type: 'string' } },
        queryParameter('frame', 'Index of a frame of the batch, such as that of a box; left out, the frame that the record shows (batch.snapshot).', { type: 'integer', minimum: 0 }),
      ],
      responses: {
        200: { description: 'The picture.', content: { 'image/jpeg': { schema: { type: 'string', contentMediaType: 'image/jpeg' } } } },
        400: error('The path cannot be decoded, or frame is no index.'), 404: error('No such record, or this frame was not kept.'), ...faults,
      },
    },
  },
  '/api/records/schema.json': {
    get: {
      summary: 'The JSON Schema that every record meets', tags: ['Records'],
      responses: { 200: { description: 'JSON Schema, draft 2020-12.', content: { 'application/json': { schema: { type: 'object' } } } }, ...faults },
    },
  },
  '/api/events': {
    get: {
      summary: 'Events, those that began last first', tags: ['Events'],
      parameters: [
        queryParameter('camera_id', 'Of this camera only.', { type: 'string' }),
        queryParameter('rule', 'Of this rule only.', { type: 'string' }),
        queryParameter('class', 'Of this class only.', { type: 'string' }),
        queryParameter('alert', 'Only those that alert, or only those that do not.', { type: 'boolean' }),
        queryParameter('state', 'Only those that go on, or only those that have ended.', { type: 'string', enum: ['open', 'ended'] }),
        queryParameter('since', 'Only those that were seen at or after this time.', { type: 'string', format: 'date-time' }),
        queryParameter('verdict', 'Only those of which somebody said so; none: nothing.', { type: 'string', enum: [...VERDICTS, 'none'] }),
        queryParameter('before', 'The id of an event: only those that began before it.', { type: 'string' }),
        queryParameter('limit', 'At most so many.', { type: 'integer', minimum: 1, maximum: MOST_EVENTS, default: 50 }),
      ],
      responses: { 200: answer('The newest 10,000 are known; the log of events has all.', 'Events'), 400: error('Which parameter is wrong.'), ...faults },
    },
  },
  '/api/events/stream': {
    get: {
      summary: 'Each entry of the log of events as it comes, as server-sent events', tags: ['Events'],
      responses: {
        200: {
          description: 'event is begun, going_on, ended, summary or review, data the entry. With the header Last-Event-ID what came since goes before; where that is too long ago, an event reset says so.',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        ...faults, 503: error('Too many listen.'),
      },
    },
  },
  '/api/events/{id}': {
    get: { summary: 'One event', tags: ['Events'], parameters: [eventParameter], responses: { 200: answer('What its newest entry says.', 'Event'), 400: error('The path cannot be decoded.'), 404: error('No such event among the newest.'), ...faults } },
    patch: {
      summary: 'Say whether an event was a true alarm, and whether to keep what shows it', tags: ['Events'], parameters: [eventParameter], requestBody: takes('ReviewRequest'),
      responses: { 200: answer('It is in the log of events.', 'Event'), 400: error('What is wrong with the request.'), 404: error('No such event among the newest.'), ...faults },
    },
  },
  '/api/events/{id}/picture.jpg': {
    get: {
      summary: 'The picture that shows an event best', tags: ['Events'],
      parameters: [eventParameter, queryParameter('boxes', 'With the box and the class of what was seen drawn in, where it has a box.', { type: 'boolean', default: false })],
      responses: {
        200: { description: 'The picture; while the event goes on a better one may follow.', content: { 'image/jpeg': { schema: { type: 'string', contentMediaType: 'image/jpeg' } } } },
        400: error('The path cannot be decoded, or boxes is wrong.'), 404: error('No such event, or its picture is gone.'), 422: error('Nothing can be drawn into the picture.'), ...faults, 503: error('Too many are being drawn.'),
      },
    },
  },
  '/api/events/{id}/clip.mp4': {
    get: {
      summary: 'The clip of an event, whole or in ranges', tags: ['Events'], parameters: [eventParameter],
      responses: {
        200: { description: 'MP4, whose index stands first; while events of its camera go on a longer one may come in its place.', content: { 'video/mp4': { schema: { type: 'string', contentMediaType: 'video/mp4' } } } },
        206: { description: 'The range that was asked for.', content: { 'video/mp4': { schema: { type: 'string', contentMediaType: 'video/mp4' } } } },
        400: error('The path cannot be decoded.'), 404: error('No such event, or it has no clip, not yet, or not any more.'), 416: error('It has no such range.'), ...faults,
      },
    },
  },
  '/api/silences': {
    get: { summary: 'Cameras, and rules of them, that alert nobody for a while', tags: ['Events'], responses: { 200: answer('Those that are not over.', 'Silences'), ...faults } },
    post: {
      summary: 'Have a camera, or one rule of it, alert nobody for a while', tags: ['Events'], requestBody: takes('SilenceRequest'),
      responses: { 200: answer('Until when.', 'Silenced'), 400: error('What is wrong with the request.'), 404: error('No such rule; which there are.'), ...faults },
    },
  },
  '/api/rules': {
    get: { summary: 'Rules of events, as they are now', tags: ['Events'], responses: { 200: answer('All rules, with all that they say.', 'Rules'), ...faults } },
  },
  '/api/rules/{name}': {
    get: { summary: 'One rule', tags: ['Events'], parameters: [ruleParameter], responses: { 200: answer('What it says.', 'Rule'), 400: error('The path cannot be decoded.'), 404: error('No such rule; which there are.'), ...faults } },
    patch: {
      summary: 'Have a rule say something else, until the restart', tags: ['Events'], parameters: [ruleParameter], requestBody: takes('RuleChange'),
      responses: { 200: answer('What it says now.', 'Rule'), 400: error('What is wrong with the change.'), 404: error('No such rule; which there are.'), ...faults },
    },
  },
  '/api/followers': {
    get: { summary: 'How those do who follow the logs', tags: ['Followers'], responses: { 200: answer('All followers of lookout.yaml.', 'Followers'), ...faults } },
  },
  '/api/followers/{name}/test': {
    post: {
      summary: 'Reach the target of a follower once', tags: ['Followers'], parameters: [followerParameter],
      responses: { 200: answer('What was reached, in words.', 'Reached'), 400: error('The path cannot be decoded.'), 404: error('No such follower.'), 502: error('Why it is away.'), ...faults },
    },
  },
  '/api/followers/{name}/rewind': {
    post: {
      summary: 'Have a follower go on from another place of its logs', tags: ['Followers'], parameters: [followerParameter], requestBody: takes('Rewind'),
      responses: { 200: answer('It goes on from there.', 'Rewound'), 400: error('What is wrong with the request.'), 404: error('No such follower.'), ...faults },
    },
  },
  '/api/followers/{name}/retry': {
    post: {
      summary: 'Bring what a target refused once more', tags: ['Followers'], parameters: [followerParameter],
      responses: { 200: answer('How many items were taken.', 'Retried'), 400: error('The path cannot be decoded.'), 404: error('No such follower.'), 502: error('Why the target is away.'), ...faults },
    },
  },
  '/healthz': { get: { summary: 'The process answers', tags: ['Health'], security: [], responses: { 200: answer('It does.', 'Health'), ...refusals } } },
  '/readyz': {
    get: { summary: 'Records can be written: each part that they need, and why not', tags: ['Health'], responses: { 200: answer('It is.', 'Readiness'), 503: answer('What is not.', 'Readiness'), ...refusals } },
  },
  '/metrics': {
    get: {
      summary: 'Metrics for Prometheus', tags: ['Health'],
      responses: { 200: { description: 'The text format, version 0.0.4.', content: { 'text/plain': { schema: { type: 'string' } } } }, ...faults },
    },
  },
  '/': { get: { summary: 'The page', tags: ['Page'], responses: { 200: page('HTML.'), ...faults } } },
  '/static/index.html': { get: { summary: 'The page', tags: ['Page'], responses: { 200: page('HTML.'), ...faults } } },
  '/favicon.ico': { get: { summary: 'No icon', tags: ['Page'], responses: { 204: { description: 'Nothing.' }, ...refusals } } },
  '/events': { get: { summary: 'The page of events and followers', tags: ['Page'], responses: { 200: page('HTML.'), ...faults } } },
  '/records': { get: { summary: 'The page of the newest records', tags: ['Page'], responses: { 200: page('HTML.'), ...faults } } },
  '/docs': { get: { summary: 'This document as a page', tags: ['Page'], responses: { 200: page('HTML.'), ...faults } } },
  '/openapi.json': { get: { summary: 'This document', tags: ['Page'], responses: { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } }, ...refusals } } },
  '/forms/start_stream': {
    post: {
      summary: 'The form of the page, for browsers without JavaScript', tags: ['Page'],
      requestBody: { required: true, content: { 'application/x-www-form-urlencoded': { schema: ref('StartForm') } } },
      responses: {
        303: { description: 'Back to the page, with started or already_running in its address.' },
        400: page('The page, which says what is wrong with the form.'), 409: page('The page, which says that there are too many streams.'),
        ...faults, 500: page('The page, which says what failed here.'), 503: page('The page, which says why not now.'),
      },
    },
  },
};

const text = (description: string): Answer => ({ description, content: { 'text/html': { schema: { type: 'string' } } } });
const jpeg = (description: string): Answer => ({ description, content: { 'image/jpeg': { schema: { type: 'string', contentMediaType: 'image/jpeg' } } } });
const viewed = { 401: text('The token is missing or wrong, where it is asked for.'), 429: text('Too many wrong tokens came from this address.') };
const commanded = { 400: text('No JSON object.'), 401: text('Unauthorized'), 413: text('More than 1 MB.'), 415: text('No JSON content type.'), 429: text('Too many wrong passwords came from this address.') };
const OLD_TAG: readonly [string] = ['Push-frame server'];

/** Where Lookout stands in for the push-frame server. */
const pushServerPaths: Readonly<Record<string, Path>> = {
  '/stream': { get: { summary: 'The pictures of the camera, each when it comes, and at least one a second', tags: OLD_TAG, responses: { 200: { description: 'Parts with the boundary frame.', content: { 'multipart/x-mixed-replace': { schema: { type: 'string' } } } }, 503: text('No active stream'), ...viewed } } },
  '/api/frame': { get: { summary: 'The newest picture', tags: OLD_TAG, responses: { 200: jpeg('The picture.'), 503: text('No frame available'), ...viewed } } },
  '/api/status': { get: { summary: 'How the camera is', tags: OLD_TAG, responses: { 200: answer('Times are in seconds since 1970.', 'PushServerStatus'), ...viewed } } },
  '/api/oil_spill_events': { get: { summary: 'The newest 1000 alerts, oldest first', tags: OLD_TAG, responses: { 200: answer('Alerts.', 'OilSpillEvents'), ...viewed } } },
  '/api/detection_summary': { get: { summary: 'What there was in all', tags: OLD_TAG, responses: { 200: answer('A summary.', 'OilSpillSummary'), ...viewed } } },
  '/api/upload_frame': {
    post: {
      summary: 'The camera brings a picture', tags: OLD_TAG, security: [{ camera: [] }],
      parameters: [headerParameter('X-Oil-Spill-Detected', 'true where the camera has seen oil.')],
      requestBody: { required: true, content: { 'image/jpeg': { schema: {} }, 'image/png': { schema: {} } } },
      responses: { 200: text('Frame received'), 400: text('Invalid image data'), 401: text('Unauthorized'), 413: text('More than push_max_bytes.'), 429: text('Too many wrong passwords came from this address.'), 503: text('Its stream takes none now.') },
    },
  },
  '/api/start_stream': { post: { summary: 'Let it be watched', tags: OLD_TAG, security: [], requestBody: takes('CameraPassword'), responses: { 200: answer('It may.', 'PushServerDone'), ...commanded } } },
  '/api/stop_stream': { post: { summary: 'Let it not be watched, until it is started; what it brings is recorded all the same', tags: OLD_TAG, security: [], requestBody: takes('CameraPassword'), responses: { 200: answer('It may not.', 'PushServerDone'), ...commanded } } },
};

/** `record`: the JSON Schema of the records that are written. `isPushServer`: Lookout stands in for one. */
export function openApiDocument(version: string, record: object, isPushServer = false): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: { title: 'Lookout', version, description: 'Starts and stops camera streams, shows their state, pictures and records. A method that a path does not take answers 405 with Allow.' },
    servers: [{ url: './', description: 'Where this document is, also under a path of a reverse proxy.' }],
    security: [{}, { bearer: [] }, { basic: [] }],
    paths: { ...paths, ...(isPushServer && pushServerPaths) },
    components: {
      schemas: { ...SCHEMAS, Record: record as Schema },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Where a token is set.' },
        camera: { type: 'apiKey', in: 'header', name: 'X-Camera-Auth', description: 'Key of the camera, as `lookout cameras key` made it.' },
        cameraBearer: { type: 'http', scheme: 'bearer', description: 'The same key as a Bearer.' },
        basic: { type: 'http', scheme: 'basic', description: 'The token as the password; any user name.' },
      },
    },
  };
}
