/** Records in the three shapes of the Flask orchestrator, and its way of writing them. */
const found = [{ class: 'dog', confidence: 0.91, box: [10.5, 20, 30, 40] }];

export const FLASK_RECORDS = [
  {
    basic: {
      camID: 'CAM-001', Latitude: 37.7749, Longitude: -122.4194, Date: '01/02/2025', timestamp: '18:28:52', IP: '127.0.1.1',
      complaint_type: { stray_animal: 1, pothole: 0 }, frame_base64: '/9j/4AAQ',
    },
    stray_animal: { detections: found },
    pothole: null,
  },
  { camID: 'CAM-002', Latitude: null, Longitude: null, Date: '01/02/2025 18:29:22', IP: '127.0.1.1', complaint_type: { stray_animal: found, pothole: 0 }, frame_base64: '' },
  { camID: 'CAM "3"\\', Latitude: 1, Longitude: 2, Date: '01/02/2025 18:29:52', IP: '127.0.1.1', complaint_type: { stray_animal: [], pothole: [], garbage: found }, frame_base64: '/9j/4AAQ' },
] as const;

/** As `json.dump(records, file, indent=2)` writes it: no line end at the end. */
export function dumpLikePython(records: readonly unknown[] = FLASK_RECORDS): string {
  return JSON.stringify(records, null, 2);
}
