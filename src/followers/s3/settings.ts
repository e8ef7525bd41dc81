/** What an item of `followers:` of the type s3 says. */
export interface S3Settings {
  readonly bucket: string;
  /** null: AWS. */
  readonly endpoint: string | null;
  readonly region: string;
  /** null, both: where the SDK finds them itself. */
  readonly access_key_id: string | null;
  readonly secret_access_key: string | null;
  readonly session_token: string | null;
  /** null: with an endpoint. */
  readonly path_style: boolean | null;
  /** See key.ts. */
  readonly key: string;
  readonly upload_pictures: boolean;
  readonly upload_clips: boolean;
  readonly per_frame: boolean;
  readonly gzip: boolean;
  readonly encryption: 'AES256' | 'aws:kms' | null;
  readonly kms_key_id: string | null;
  readonly storage_class: string | null;
  readonly timeout_seconds: number;
}

/** Where the bucket is, in words. */
export function placeOf({ bucket, endpoint, region }: Pick<S3Settings, 'bucket' | 'endpoint' | 'region'>): string {
  return `s3://${bucket} ${endpoint === null ? `in ${region}` : `at ${endpoint}`}`;
}
