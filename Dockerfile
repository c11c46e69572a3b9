# One image for the gateway, the worker and the migration: they differ in their command only.
# The folders are those of the repository, because Node strips types from no file below node_modules; the
# workspaces are links from there to here (docs/adr/0003-no-build-step.md).

# The same Node as in package.json, which is the one that the tests run on.
FROM node:24.21.0-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without the manifests of packages/local and packages/testing: npm would follow the applications'
# devDependencies into them and install an embedded Postgres, whatever is omitted.
COPY apps/api/package.json apps/api/
COPY apps/worker/package.json apps/worker/
COPY packages/db/package.json packages/db/
COPY packages/domain/package.json packages/domain/
COPY packages/market/package.json packages/market/
COPY packages/payments/package.json packages/payments/
COPY packages/webhooks/package.json packages/webhooks/
COPY packages/jobs/package.json packages/jobs/

# --workspaces leaves the root's own dependencies out, the Node for `npm start` among them. --omit=optional leaves
# out the command line `prisma`, an optional peer of its client, and accelerators that nothing here needs.
FROM manifests AS dependencies
RUN --mount=type=cache,target=/root/.npm npm ci --workspaces --omit=dev --omit=optional --ignore-scripts

# Here that optional peer is what is wanted.
FROM manifests AS generated
RUN --mount=type=cache,target=/root/.npm npm ci --workspace packages/db --omit=dev --ignore-scripts
COPY packages/db/prisma.config.ts packages/db/
COPY packages/db/prisma packages/db/prisma
COPY packages/db/scripts/generate.ts packages/db/scripts/
RUN npm run generate --workspace packages/db

FROM node:24.21.0-slim
WORKDIR /app
ENV HOST=0.0.0.0
COPY --from=dependencies /app ./
COPY --from=generated /app/packages/db/src/generated packages/db/src/generated
COPY packages/domain/src packages/domain/src
COPY packages/market/src packages/market/src
COPY packages/payments/src packages/payments/src
COPY packages/webhooks/src packages/webhooks/src
COPY packages/db/prisma packages/db/prisma
COPY packages/db/scripts/migrate.ts packages/db/scripts/
COPY packages/db/src packages/db/src
COPY packages/jobs/src packages/jobs/src
COPY apps/worker/src apps/worker/src
# Shown on the pages of the API.
COPY docs/webhooks.md docs/
COPY apps/api/src apps/api/src
USER node
EXPOSE 3000 9464
# Node is process 1 and gets the signals itself. The worker: apps/worker/src/main.ts. The migration:
# packages/db/scripts/migrate.ts.
CMD ["node", "apps/api/src/main.ts"]
