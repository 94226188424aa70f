import { Migration } from "@mikro-orm/migrations";

const trackedColumns = `
  version integer not null default 1,
  revision bigint not null default 0,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  created_by uuid,
  updated_by uuid,
  managed_by text`;

const linkColumns = `
  version integer not null default 1,
  revision bigint not null default 0`;

// Deferred, so that one flush may insert parents and children in any order.
const cascade = "on delete cascade deferrable initially deferred";

/** The first tables: identity, workspaces, what an environment holds, revision and activity. */
export class InitialMigration extends Migration {
  override name = "0001-initial";

  override up(): void {
    const schema = this.config.get("schema")!;
    this.addSql(statements.replaceAll("$schema", `"${schema}"`));
  }
}

const statements = `
create table $schema.users (
  user_id uuid primary key,
  username text not null,
  email text not null,
  name text not null,
  first_name text not null,
  last_name text not null,
  email_verified boolean not null default false,
  picture_url text,
  state text not null default 'ACTIVE' check (state in ('ACTIVE', 'INACTIVE', 'CHANGE_PASSWORD')),
  provider_type text not null default 'LOCAL' check (provider_type in ('LOCAL', 'OIDC')),
  provider_issuer text,
  provider_subject text,
  password_hash text,
  last_login_at timestamptz(3),
  ${trackedColumns}
);
create unique index users_username_unique on $schema.users (lower(username));
create unique index users_email_unique on $schema.users (lower(email));
create unique index users_provider_unique on $schema.users (provider_issuer, provider_subject);
create index users_revision on $schema.users (revision);

create table $schema.roles (
  role_id uuid primary key,
  name text not null,
  description text,
  policy jsonb not null,
  built_in boolean not null default false,
  ${trackedColumns}
);
create unique index roles_name_unique on $schema.roles (lower(name));
create index roles_revision on $schema.roles (revision);

create table $schema.role_assignments (
  user_id uuid not null references $schema.users ${cascade},
  role_id uuid not null references $schema.roles ${cascade},
  assigned_at timestamptz(3) not null default now(),
  assigned_by uuid,
  ${linkColumns},
  primary key (user_id, role_id)
);
create index role_assignments_role on $schema.role_assignments (role_id);
create index role_assignments_revision on $schema.role_assignments (revision);

create table $schema.sessions (
  session_hash text primary key,
  user_id uuid not null references $schema.users ${cascade},
  csrf_token text not null,
  created_at timestamptz(3) not null default now(),
  last_seen_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  ip text,
  user_agent text
);
create index sessions_user on $schema.sessions (user_id);
create index sessions_expires_at on $schema.sessions (expires_at);

create table $schema.personal_access_tokens (
  token_id uuid primary key,
  user_id uuid not null references $schema.users ${cascade},
  name text not null,
  hash text not null,
  prefix text not null,
  masked_token text not null,
  expires_at timestamptz(3),
  policy jsonb,
  last_used_at timestamptz(3),
  ${trackedColumns}
);
create unique index personal_access_tokens_name_unique
  on $schema.personal_access_tokens (user_id, lower(name));
create unique index personal_access_tokens_hash_unique on $schema.personal_access_tokens (hash);
create index personal_access_tokens_revision on $schema.personal_access_tokens (revision);

create table $schema.workspaces (
  workspace_id uuid primary key,
  name text not null,
  description text,
  ${trackedColumns}
);
create unique index workspaces_name_unique on $schema.workspaces (lower(name));
create index workspaces_revision on $schema.workspaces (revision);

create table $schema.workspace_members (
  workspace_id uuid not null references $schema.workspaces ${cascade},
  user_id uuid not null references $schema.users ${cascade},
  role text not null check (role in ('OWNER', 'MEMBER')),
  added_at timestamptz(3) not null default now(),
  added_by uuid,
  ${linkColumns},
  primary key (workspace_id, user_id)
);
create index workspace_members_user on $schema.workspace_members (user_id);
create index workspace_members_revision on $schema.workspace_members (revision);

create table $schema.environments (
  environment_id uuid primary key,
  workspace_id uuid not null references $schema.workspaces ${cascade},
  name text not null,
  description text,
  settings jsonb not null default '{}',
  ${trackedColumns}
);
create unique index environments_name_unique on $schema.environments (workspace_id, lower(name));
create index environments_revision on $schema.environments (revision);

create table $schema.ai_connections (
  connection_id uuid primary key,
  environment_id uuid not null references $schema.environments ${cascade},
  name text not null,
  description text,
  provider text not null,
  config jsonb not null default '{}',
  allowed_models jsonb not null default '[]',
  capacity jsonb not null default '[]',
  enabled boolean not null default true,
  last_test jsonb,
  discovered_capacity jsonb,
  ${trackedColumns}
);
create unique index ai_connections_name_unique
  on $schema.ai_connections (environment_id, lower(name));
create index ai_connections_revision on $schema.ai_connections (revision);

create table $schema.ai_resources (
  resource_id uuid primary key,
  environment_id uuid not null references $schema.environments ${cascade},
  name text not null,
  description text,
  enabled boolean not null default true,
  model jsonb not null,
  secondary_models jsonb not null default '[]',
  fallback_models jsonb not null default '[]',
  use_fallback boolean,
  routing jsonb,
  capacity jsonb not null default '[]',
  enforce_capacity boolean not null default false,
  default_args json,
  on_loss text check (on_loss in ('allow', 'warn', 'reject')),
  ${trackedColumns}
);
create unique index ai_resources_name_unique on $schema.ai_resources (environment_id, lower(name));
create index ai_resources_revision on $schema.ai_resources (revision);

create table $schema.api_keys (
  api_key_id uuid primary key,
  environment_id uuid not null references $schema.environments ${cascade},
  name text not null,
  description text,
  enabled boolean not null default true,
  expires_at timestamptz(3),
  restrict_to_assigned boolean not null default false,
  labels jsonb not null default '[]',
  enforce_capacity boolean not null default false,
  capacity jsonb not null default '[]',
  allow_overrides boolean not null default true,
  allow_ad_hoc boolean not null default true,
  masked_key text not null,
  hash text not null,
  previous_hash text,
  previous_valid_until timestamptz(3),
  last_used_at timestamptz(3),
  ${trackedColumns}
);
create unique index api_keys_name_unique on $schema.api_keys (environment_id, lower(name));
create unique index api_keys_hash_unique on $schema.api_keys (hash);
create index api_keys_revision on $schema.api_keys (revision);

create table $schema.api_key_assignments (
  api_key_id uuid not null references $schema.api_keys ${cascade},
  resource_id uuid not null references $schema.ai_resources ${cascade},
  ${linkColumns},
  primary key (api_key_id, resource_id)
);
create index api_key_assignments_resource on $schema.api_key_assignments (resource_id);
create index api_key_assignments_revision on $schema.api_key_assignments (revision);

create table $schema.pool_definitions (
  environment_id uuid primary key references $schema.environments ${cascade},
  definition jsonb not null default '[]',
  ${trackedColumns}
);
create index pool_definitions_revision on $schema.pool_definitions (revision);

create table $schema.plugin_settings (
  plugin_id text primary key,
  enabled boolean not null default true,
  settings jsonb not null default '{}',
  ${trackedColumns}
);
create index plugin_settings_revision on $schema.plugin_settings (revision);

create table $schema.activity_entries (
  activity_id bigint generated by default as identity primary key,
  revision bigint not null,
  at timestamptz(3) not null default now(),
  actor_user_id uuid,
  actor_token_id uuid,
  via text not null,
  action text not null,
  entity_type text not null,
  entity_id text not null,
  entity_name text not null,
  workspace_id uuid,
  environment_id uuid,
  diff jsonb not null default '[]',
  request_id text,
  source_ip text
);
create index activity_entries_at on $schema.activity_entries (at);
create index activity_entries_entity on $schema.activity_entries (entity_type, entity_id);
create index activity_entries_environment
  on $schema.activity_entries (environment_id, activity_id);

create table $schema.idempotency_keys (
  caller text not null,
  key text not null,
  request_hash text not null,
  status integer,
  answer json,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  primary key (caller, key)
);
create index idempotency_keys_expires_at on $schema.idempotency_keys (expires_at);

create table $schema.tombstones (
  revision bigint not null,
  entity_type text not null,
  entity_id text not null,
  at timestamptz(3) not null default now(),
  primary key (revision, entity_type, entity_id)
);

create table $schema.key_fingerprints (
  backend text not null,
  key_version integer not null,
  fingerprint text not null,
  created_at timestamptz(3) not null default now(),
  primary key (backend, key_version)
);

create table $schema.revision (
  id integer primary key check (id = 1),
  revision bigint not null,
  epoch uuid not null,
  pruned_revision bigint not null
);
insert into $schema.revision (id, revision, epoch, pruned_revision)
  values (1, 0, gen_random_uuid(), 0);
`;
