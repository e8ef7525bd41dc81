/** Mounts the handlers of one path: other methods get 405, OPTIONS the list, both with Allow as the Flask orchestrator had it. */
import type { IRouter, RequestHandler } from 'express';
import { LookoutError } from '../errors.ts';

type Handlers = Readonly<Partial<Record<'get' | 'post' | 'patch' | 'delete', RequestHandler>>>;

export function route(router: Pick<IRouter, 'route'>, path: string, handlers: Handlers): void {
  const { get, post, patch, delete: remove } = handlers;
  const allow = [get && 'HEAD', post && 'POST', get && 'GET', patch && 'PATCH', remove && 'DELETE', 'OPTIONS'].filter(Boolean).join(', ');
  const mounted = router.route(path);
  if (get) mounted.get(get);
  if (post) mounted.post(post);
  if (patch) mounted.patch(patch);
  if (remove) mounted.delete(remove);
  mounted.all((request, response, next) => {
    response.set('Allow', allow);
    if (request.method === 'OPTIONS') response.status(200).end();
    else next(new LookoutError('method_not_allowed', `${request.path} does not take ${request.method}; it takes ${allow}.`));
  });
}
