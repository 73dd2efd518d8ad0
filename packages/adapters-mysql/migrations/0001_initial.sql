-- Everything that Sallyport 0.1 stores. Instants are Unix ms, booleans 0 or 1. Each statement may be repeated: one that was applied does nothing.

create table if not exists `gateway_keys` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(200) not null,
  `kind` varchar(16) not null,
  `digest` varchar(64) not null,
  `project_id` varchar(64) not null,
  `scopes` json not null,
  `enabled` tinyint(1) not null,
  `expires_at_ms` bigint,
  `last_used_at_ms` bigint,
  `environment` varchar(12),
  `prefix` varchar(60),
  `user_id` varchar(64),
  `team_id` varchar(64),
  `parent_id` varchar(64),
  `rate_limit` json,
  `previous_digest` varchar(64),
  `previous_until_ms` bigint,
  `legacy_hash` varchar(300),
  `legacy_scheme` varchar(40),
  `revoked_at_ms` bigint,
  `created_by` varchar(100),
  `metadata` json,
  primary key (`id`),
  unique key `uq_gateway_keys_digest` (`digest`),
  key `ix_gateway_keys_kind` (`kind`),
  key `ix_gateway_keys_project_id_created_at_ms` (`project_id`, `created_at_ms`),
  key `ix_gateway_keys_parent_id` (`parent_id`),
  key `ix_gateway_keys_user_id` (`user_id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `users` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `username` varchar(100) not null,
  `name` varchar(200),
  `email` varchar(254),
  `password_hash` varchar(300),
  `external_id` varchar(64),
  `enabled` tinyint(1) not null,
  `last_login_at_ms` bigint,
  `sessions_from_ms` bigint not null,
  primary key (`id`),
  unique key `uq_users_username` (`username`),
  unique key `uq_users_external_id` (`external_id`),
  key `ix_users_project_id_created_at_ms` (`project_id`, `created_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `teams` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `name` varchar(100) not null,
  `description` varchar(1000),
  primary key (`id`),
  unique key `uq_teams_project_id_name` (`project_id`, `name`),
  key `ix_teams_project_id_created_at_ms` (`project_id`, `created_at_ms`),
  key `ix_teams_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `projects` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `name` varchar(100) not null,
  `description` varchar(2000),
  `metadata` json,
  `created_by` varchar(100),
  primary key (`id`),
  key `ix_projects_project_id_created_at_ms` (`project_id`, `created_at_ms`),
  key `ix_projects_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `roles` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `name` varchar(40) not null,
  `description` varchar(1000),
  `scopes` json not null,
  primary key (`id`),
  unique key `uq_roles_project_id_name` (`project_id`, `name`),
  key `ix_roles_project_id_created_at_ms` (`project_id`, `created_at_ms`),
  key `ix_roles_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `role_bindings` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `user_id` varchar(64) not null,
  `role` varchar(64) not null,
  `scope` varchar(16) not null,
  `scope_id` varchar(64) not null,
  `created_by` varchar(100),
  primary key (`id`),
  unique key `uq_role_bindings_user_id_role_scope_scope_id` (`user_id`, `role`, `scope`, `scope_id`),
  key `ix_role_bindings_project_id_created_at_ms` (`project_id`, `created_at_ms`),
  key `ix_role_bindings_user_id` (`user_id`),
  key `ix_role_bindings_role` (`role`),
  constraint `fk_role_bindings_user_id` foreign key (`user_id`) references `users` (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `personas` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(40) not null,
  `description` varchar(2000),
  `roles` json not null,
  `keys` json not null,
  `users` json not null,
  `projects` json not null,
  `agents` json not null,
  `servers` json not null,
  `tools` json not null,
  `created_by` varchar(100),
  primary key (`id`),
  unique key `uq_personas_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `web_sessions` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `user_id` varchar(64) not null,
  `digest` varchar(64) not null,
  `by` varchar(60) not null,
  `began_at_ms` bigint not null,
  `last_seen_at_ms` bigint not null,
  `expires_at_ms` bigint not null,
  `revoked_at_ms` bigint,
  `address` varchar(64),
  `agent` varchar(200),
  primary key (`id`),
  unique key `uq_web_sessions_digest` (`digest`),
  key `ix_web_sessions_user_id` (`user_id`),
  key `ix_web_sessions_expires_at_ms` (`expires_at_ms`),
  constraint `fk_web_sessions_user_id` foreign key (`user_id`) references `users` (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `sign_in_states` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `digest` varchar(64) not null,
  `cookie_digest` varchar(64) not null,
  `provider` varchar(60) not null,
  `return_to` varchar(500),
  `expires_at_ms` bigint not null,
  primary key (`id`),
  unique key `uq_sign_in_states_digest` (`digest`),
  key `ix_sign_in_states_expires_at_ms` (`expires_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `auth_events` (
  `id` varchar(64) not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `kind` varchar(40) not null,
  `outcome` varchar(8) not null,
  `caller_id` varchar(100),
  `target_id` varchar(64),
  `address` varchar(64),
  `request_id` varchar(64),
  `detail` json,
  primary key (`id`),
  key `ix_auth_events_project_id_at_ms` (`project_id`, `at_ms`),
  key `ix_auth_events_kind_at_ms` (`kind`, `at_ms`),
  key `ix_auth_events_caller_id_at_ms` (`caller_id`, `at_ms`),
  key `ix_auth_events_target_id_at_ms` (`target_id`, `at_ms`),
  key `ix_auth_events_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `runs` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `status` varchar(16) not null,
  `model` varchar(200) not null,
  `input` json not null,
  `tools` json not null,
  `options` json not null,
  `caller` json not null,
  `text` longtext,
  `output` json,
  `error` json,
  `usage` json not null,
  `steps` bigint not null,
  `attempt` bigint not null,
  `lease_until_ms` bigint not null,
  `holder` varchar(64),
  `cancel_requested` tinyint(1) not null,
  `cancel_reason` varchar(500),
  `idempotency_key` varchar(200),
  `payload_hash` varchar(64) not null,
  `started_at_ms` bigint,
  `finished_at_ms` bigint,
  `waiting_since_ms` bigint,
  `waited_ms` bigint,
  primary key (`id`),
  key `ix_runs_status_lease_until_ms` (`status`, `lease_until_ms`),
  key `ix_runs_status_cancel_requested` (`status`, `cancel_requested`),
  key `ix_runs_project_id_created_at_ms` (`project_id`, `created_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `run_events` (
  `stream` varchar(64) not null,
  `seq` bigint not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `event` json not null,
  primary key (`stream`, `seq`),
  key `ix_run_events_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `run_steps` (
  `stream` varchar(64) not null,
  `seq` bigint not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `attempt` bigint not null,
  `step` bigint not null,
  `kind` varchar(32) not null,
  `body` json not null,
  primary key (`stream`, `seq`),
  key `ix_run_steps_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `tasks` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `type` varchar(100) not null,
  `status` varchar(16) not null,
  `payload` json,
  `result` json,
  `error` json,
  `priority` bigint not null,
  `due_at_ms` bigint not null,
  `ready_at_ms` bigint not null,
  `attempt` bigint not null,
  `uncounted` bigint not null,
  `max_attempts` bigint not null,
  `backoff_ms` bigint not null,
  `lease_ms` bigint not null,
  `holder` varchar(64),
  `cancel_requested` tinyint(1) not null,
  `cancel_reason` varchar(500),
  `dead_letter` tinyint(1) not null,
  `idempotency_key` varchar(200),
  `payload_hash` varchar(64) not null,
  `created_by` varchar(100) not null,
  `started_at_ms` bigint,
  `finished_at_ms` bigint,
  primary key (`id`),
  unique key `uq_tasks_project_id_idempotency_key` (`project_id`, `idempotency_key`),
  key `ix_tasks_status_type_priority_ready_at_ms_id` (`status`, `type`, `priority`, `ready_at_ms`, `id`),
  key `ix_tasks_status_cancel_requested` (`status`, `cancel_requested`),
  key `ix_tasks_project_id_created_at_ms` (`project_id`, `created_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `usage_entries` (
  `id` varchar(64) not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `caller_id` varchar(100) not null,
  `kind` varchar(16) not null,
  `key_id` varchar(64),
  `user_id` varchar(64),
  `team_id` varchar(64),
  `agent_id` varchar(64),
  `request_id` varchar(64),
  `operation` varchar(20),
  `name` varchar(200) not null,
  `server` varchar(64),
  `provider` varchar(100),
  `model` varchar(200),
  `run_id` varchar(64),
  `purpose` varchar(40),
  `input_tokens` bigint,
  `cache_read_tokens` bigint,
  `cache_write_tokens` bigint,
  `output_tokens` bigint,
  `reasoning_tokens` bigint,
  `detail` json,
  `cost_nano_usd` bigint,
  `unpriced` bigint,
  `saved_nano_usd` bigint,
  `attempts` bigint,
  `tried` json,
  `estimated` tinyint(1) not null,
  `partial` tinyint(1) not null,
  `status` bigint not null,
  `duration_ms` bigint not null,
  primary key (`id`),
  key `ix_usage_entries_project_id_at_ms_caller_id_key_id_use_4e1a94b0` (`project_id`, `at_ms`, `caller_id`, `key_id`, `user_id`, `team_id`, `agent_id`),
  key `ix_usage_entries_name_at_ms_kind_server` (`name`, `at_ms`, `kind`, `server`),
  key `ix_usage_entries_request_id` (`request_id`),
  key `ix_usage_entries_run_id` (`run_id`),
  key `ix_usage_entries_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `audit_entries` (
  `id` varchar(64) not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `caller_id` varchar(100) not null,
  `actor_kind` varchar(8),
  `key_id` varchar(64),
  `user_id` varchar(64),
  `team_id` varchar(64),
  `action` varchar(100) not null,
  `target` varchar(200) not null,
  `resource_type` varchar(40),
  `request_id` varchar(64) not null,
  `source` varchar(8),
  `purpose` varchar(500),
  `outcome` varchar(16) not null,
  `code` varchar(64),
  `status` bigint not null,
  `duration_ms` bigint not null,
  `parameters` json,
  `changed` json,
  primary key (`id`),
  key `ix_audit_entries_project_id_at_ms` (`project_id`, `at_ms`),
  key `ix_audit_entries_caller_id_at_ms` (`caller_id`, `at_ms`),
  key `ix_audit_entries_request_id` (`request_id`),
  key `ix_audit_entries_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `opaque_tokens` (
  `id` varchar(64) not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `call_hash` varchar(64) not null,
  `sealed` longtext not null,
  primary key (`id`),
  key `ix_opaque_tokens_call_hash_at_ms` (`call_hash`, `at_ms`),
  key `ix_opaque_tokens_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `routes` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(40) not null,
  `strategy` varchar(16) not null,
  `targets` json not null,
  `sticky` varchar(16) not null,
  `timeouts` json not null,
  `retries` json not null,
  `fallback_on` json not null,
  `context_overflow` varchar(240),
  `hedge_after_ms` bigint,
  `canary` json,
  `shadow` json,
  `cache` json,
  primary key (`id`),
  unique key `uq_routes_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `stored_responses` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `status` varchar(16) not null,
  `background` tinyint(1) not null,
  `chain` json not null,
  `input` longtext not null,
  `response` longtext not null,
  `provider` varchar(100),
  `holder` varchar(64),
  `lease_until_ms` bigint not null,
  `expires_at_ms` bigint not null,
  primary key (`id`),
  key `ix_stored_responses_expires_at_ms` (`expires_at_ms`),
  key `ix_stored_responses_project_id_created_at_ms` (`project_id`, `created_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `stored_response_items` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `item_id` varchar(200) not null,
  `response_id` varchar(64) not null,
  primary key (`id`),
  unique key `uq_stored_response_items_project_id_item_id` (`project_id`, `item_id`),
  key `ix_stored_response_items_response_id` (`response_id`),
  constraint `fk_stored_response_items_response_id` foreign key (`response_id`) references `stored_responses` (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `stored_response_events` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `response_id` varchar(64) not null,
  `last_sequence` bigint not null,
  `events` longtext not null,
  primary key (`id`),
  unique key `uq_stored_response_events_response_id_last_sequence` (`response_id`, `last_sequence`),
  constraint `fk_stored_response_events_response_id` foreign key (`response_id`) references `stored_responses` (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `vendor_objects` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `kind` varchar(16) not null,
  `status` varchar(16) not null,
  `purpose` varchar(64) not null,
  `model` varchar(300),
  `provider` varchar(100),
  `ref` varchar(1000),
  `key_print` varchar(64),
  `caller` json not null,
  `data` json not null,
  `error` json,
  `total` bigint not null,
  `completed` bigint not null,
  `failed` bigint not null,
  `ready_at_ms` bigint not null,
  `attempt` bigint not null,
  `cancel_requested` tinyint(1) not null,
  `expires_at_ms` bigint,
  `idempotency_key` varchar(220),
  `payload_hash` varchar(64) not null,
  `started_at_ms` bigint,
  `finished_at_ms` bigint,
  primary key (`id`),
  unique key `uq_vendor_objects_project_id_idempotency_key` (`project_id`, `idempotency_key`),
  key `ix_vendor_objects_status_kind_ready_at_ms` (`status`, `kind`, `ready_at_ms`),
  key `ix_vendor_objects_project_id_kind_created_at_ms` (`project_id`, `kind`, `created_at_ms`),
  key `ix_vendor_objects_project_id_kind_purpose_created_at_ms` (`project_id`, `kind`, `purpose`, `created_at_ms`),
  key `ix_vendor_objects_expires_at_ms` (`expires_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `file_chunks` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `file_id` varchar(64) not null,
  `data` longtext not null,
  primary key (`id`),
  key `ix_file_chunks_file_id` (`file_id`),
  constraint `fk_file_chunks_file_id` foreign key (`file_id`) references `vendor_objects` (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `batch_lines` (
  `stream` varchar(64) not null,
  `seq` bigint not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `custom_id` longtext not null,
  `ok` tinyint(1) not null,
  `status` bigint not null,
  `request_id` varchar(64) not null,
  `body` longtext not null,
  primary key (`stream`, `seq`),
  key `ix_batch_lines_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `idempotency_keys` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `caller_id` varchar(100) not null,
  `key` varchar(200) not null,
  `payload_hash` varchar(64) not null,
  `state` varchar(8) not null,
  `status` bigint,
  `answer` longtext,
  `withheld` json not null,
  `lease_until_ms` bigint not null,
  `expires_at_ms` bigint not null,
  primary key (`id`),
  unique key `uq_idempotency_keys_project_id_caller_id_key` (`project_id`, `caller_id`, `key`),
  key `ix_idempotency_keys_expires_at_ms` (`expires_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `data_keys` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `state` varchar(16) not null,
  `wrapped_by` varchar(32) not null,
  `wrapped` varchar(200) not null,
  `retired_at_ms` bigint,
  primary key (`id`),
  key `ix_data_keys_state` (`state`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `providers` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(40) not null,
  `vendor` varchar(40),
  `base_url` varchar(500),
  `api_key` longtext,
  `protocols` json,
  `quirks` json,
  `auth` json,
  `enabled` tinyint(1) not null,
  primary key (`id`),
  unique key `uq_providers_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `provider_keys` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `provider` varchar(40) not null,
  `label` varchar(100),
  `value` longtext not null,
  `weight` bigint not null,
  `enabled` tinyint(1) not null,
  primary key (`id`),
  key `ix_provider_keys_provider` (`provider`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `models` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `provider` varchar(40) not null,
  `code` varchar(200) not null,
  `title` varchar(200),
  `kind` varchar(20),
  `features` json,
  `context_tokens` bigint,
  `max_output_tokens` bigint,
  `prices` json,
  primary key (`id`),
  unique key `uq_models_provider_code` (`provider`, `code`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `tool_classifications` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `server` varchar(100) not null,
  `tool` varchar(200) not null,
  `class` varchar(16) not null,
  `requires_approval` tinyint(1) not null,
  `note` varchar(500),
  primary key (`id`),
  unique key `uq_tool_classifications_server_tool` (`server`, `tool`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `tool_permissions` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `subject` varchar(16) not null,
  `subject_id` varchar(100) not null,
  `server` varchar(100) not null,
  `tool` varchar(200) not null,
  `max_uses_day` bigint,
  `expires_at_ms` bigint,
  primary key (`id`),
  key `ix_tool_permissions_subject_subject_id` (`subject`, `subject_id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `approval_rules` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `server` varchar(100) not null,
  `tool` varchar(200) not null,
  `caller_id` varchar(100),
  `conditions` json not null,
  `expires_at_ms` bigint,
  `created_by` varchar(100) not null,
  `approval_id` varchar(64),
  primary key (`id`),
  key `ix_approval_rules_project_id` (`project_id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `inbox_items` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `audience` varchar(120) not null,
  `kind` varchar(16) not null,
  `status` varchar(16) not null,
  `open_key` varchar(64) not null,
  `project_id` varchar(64),
  `server` varchar(100) not null,
  `tool` varchar(512),
  `caller_id` varchar(100),
  `caller_name` varchar(200),
  `caller_ids` json not null,
  `class` varchar(16),
  `digest` varchar(64),
  `arguments` longtext,
  `edited` longtext,
  `pin_id` varchar(64),
  `differences` longtext,
  `request_id` varchar(64),
  `run_id` varchar(64),
  `expires_at_ms` bigint,
  `decided_by` varchar(100),
  `decided_at_ms` bigint,
  `note` varchar(1000),
  primary key (`id`),
  unique key `uq_inbox_items_open_key` (`open_key`),
  key `ix_inbox_items_audience_created_at_ms` (`audience`, `created_at_ms`),
  key `ix_inbox_items_status_expires_at_ms` (`status`, `expires_at_ms`),
  key `ix_inbox_items_kind_server` (`kind`, `server`),
  key `ix_inbox_items_created_at_ms` (`created_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `interrupts` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `run_id` varchar(64) not null,
  `item_id` varchar(64) not null,
  primary key (`id`),
  key `ix_interrupts_item_id` (`item_id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `trace_spans` (
  `id` varchar(64) not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `trace_id` varchar(64) not null,
  `span_id` varchar(64) not null,
  `parent_id` varchar(64),
  `request_id` varchar(64) not null,
  `call_id` varchar(64) not null,
  `run_id` varchar(64),
  `kind` varchar(16) not null,
  `name` varchar(200) not null,
  `provider` varchar(100),
  `model` varchar(200),
  `status` varchar(8) not null,
  `status_code` bigint,
  `code` varchar(64),
  `started_at_ms` bigint not null,
  `duration_ms` bigint not null,
  `request_bytes` bigint,
  `response_bytes` bigint,
  `cost_nano_usd` bigint,
  `attributes` json,
  primary key (`id`),
  key `ix_trace_spans_request_id` (`request_id`),
  key `ix_trace_spans_trace_id` (`trace_id`),
  key `ix_trace_spans_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `alert_rules` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(200) not null,
  `metric` varchar(32) not null,
  `condition` varchar(4) not null,
  `threshold` json not null,
  `window_minutes` bigint not null,
  `severity` varchar(8) not null,
  `channels` json not null,
  `filters` json not null,
  `enabled` tinyint(1) not null,
  `due_at_ms` bigint not null,
  primary key (`id`),
  key `ix_alert_rules_enabled_due_at_ms` (`enabled`, `due_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `alert_channels` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(200) not null,
  `kind` varchar(16) not null,
  `settings` json not null,
  `secret` longtext,
  `enabled` tinyint(1) not null,
  primary key (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `alerts` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `rule_id` varchar(64) not null,
  `open_key` varchar(64) not null,
  `status` varchar(16) not null,
  `rule_name` varchar(200) not null,
  `metric` varchar(32) not null,
  `severity` varchar(8) not null,
  `value` json not null,
  `threshold` json not null,
  `message` varchar(1000) not null,
  `started_at_ms` bigint not null,
  `acknowledged_at_ms` bigint,
  `acknowledged_by` varchar(100),
  `resolved_at_ms` bigint,
  `resolved_by` varchar(100),
  primary key (`id`),
  unique key `uq_alerts_open_key` (`open_key`),
  key `ix_alerts_status_started_at_ms` (`status`, `started_at_ms`),
  key `ix_alerts_started_at_ms` (`started_at_ms`),
  key `ix_alerts_rule_id_started_at_ms` (`rule_id`, `started_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `alert_notifications` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `alert_id` varchar(64) not null,
  `channel_id` varchar(64) not null,
  `event` varchar(16) not null,
  `status` varchar(16) not null,
  `attempt` bigint not null,
  `due_at_ms` bigint not null,
  `sent_at_ms` bigint,
  `error` longtext,
  primary key (`id`),
  key `ix_alert_notifications_status_due_at_ms` (`status`, `due_at_ms`),
  key `ix_alert_notifications_alert_id` (`alert_id`),
  constraint `fk_alert_notifications_alert_id` foreign key (`alert_id`) references `alerts` (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `guardrails` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(40) not null,
  `enabled` tinyint(1) not null,
  `priority` bigint not null,
  `stages` json not null,
  `kind` varchar(16) not null,
  `settings` json not null,
  `action` varchar(8) not null,
  `severity` varchar(8),
  `unseen` varchar(8),
  `applies` json not null,
  primary key (`id`),
  unique key `uq_guardrails_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `detections` (
  `id` varchar(64) not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `request_id` varchar(64) not null,
  `call_id` varchar(64),
  `guardrail` varchar(80) not null,
  `stage` varchar(12) not null,
  `type` varchar(20) not null,
  `severity` varchar(8) not null,
  `action` varchar(8) not null,
  `pattern` varchar(200) not null,
  `confidence` bigint not null,
  `excerpt` varchar(1000) not null,
  `caller_id` varchar(100) not null,
  `key_id` varchar(64),
  `model` varchar(240),
  `server` varchar(100),
  `tool` varchar(200),
  primary key (`id`),
  key `ix_detections_project_id_at_ms` (`project_id`, `at_ms`),
  key `ix_detections_request_id` (`request_id`),
  key `ix_detections_guardrail_at_ms` (`guardrail`, `at_ms`),
  key `ix_detections_type_at_ms` (`type`, `at_ms`),
  key `ix_detections_severity_at_ms` (`severity`, `at_ms`),
  key `ix_detections_action_at_ms` (`action`, `at_ms`),
  key `ix_detections_caller_id_at_ms` (`caller_id`, `at_ms`),
  key `ix_detections_server_at_ms` (`server`, `at_ms`),
  key `ix_detections_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `rate_limits` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `subject` varchar(16) not null,
  `subject_id` varchar(240) not null,
  `requests_per_minute` bigint,
  `tokens_per_minute` bigint,
  `concurrency` bigint,
  `enabled` tinyint(1) not null,
  primary key (`id`),
  unique key `uq_rate_limits_subject_subject_id` (`subject`, `subject_id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `budgets` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `name` varchar(100) not null,
  `scope` varchar(16) not null,
  `scope_id` varchar(100),
  `amount_usd` varchar(20) not null,
  `period` varchar(8) not null,
  `timezone` varchar(64) not null,
  `hard` tinyint(1) not null,
  `thresholds` json not null,
  `enabled` tinyint(1) not null,
  `all_projects` tinyint(1),
  primary key (`id`),
  key `ix_budgets_project_id_created_at_ms` (`project_id`, `created_at_ms`),
  key `ix_budgets_scope_scope_id` (`scope`, `scope_id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `budget_windows` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `budget_id` varchar(64) not null,
  `budget_version` bigint not null,
  `start_ms` bigint not null,
  `end_ms` bigint,
  `limit_nano_usd` bigint not null,
  `left_nano_usd` bigint not null,
  `spent_nano_usd` bigint not null,
  `reserved_nano_usd` bigint not null,
  `fired_percent` bigint not null,
  primary key (`id`),
  key `ix_budget_windows_budget_id_start_ms` (`budget_id`, `start_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `reservations` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `call` json not null,
  `provider` varchar(100),
  `model` varchar(200),
  `amount_nano_usd` bigint,
  `shares` json not null,
  `shares_nano_usd` bigint not null,
  `expires_at_ms` bigint not null,
  `attempt` bigint not null,
  primary key (`id`),
  key `ix_reservations_expires_at_ms` (`expires_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `open_calls` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `calls` json not null,
  `expires_at_ms` bigint not null,
  `attempt` bigint not null,
  primary key (`id`),
  key `ix_open_calls_expires_at_ms` (`expires_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `sessions` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `title` varchar(200),
  `user_id` varchar(100),
  `agent_id` varchar(64),
  `provider` varchar(100),
  `model` varchar(200),
  `instructions` longtext,
  `mcp` json not null,
  `status` varchar(16) not null,
  `message_count` bigint not null,
  `bytes` bigint not null,
  `last_seq` bigint not null,
  `last_message_at_ms` bigint,
  `parent_id` varchar(64),
  `branch_seq` bigint,
  `pinned` json not null,
  `summary` longtext,
  `summary_seq` bigint not null,
  `summary_until_ms` bigint not null,
  `turn_id` varchar(64),
  `last_accessed_at_ms` bigint not null,
  `expires_at_ms` bigint not null,
  `metadata` json not null,
  primary key (`id`),
  key `ix_sessions_project_id_created_at_ms` (`project_id`, `created_at_ms`),
  key `ix_sessions_user_id_created_at_ms` (`user_id`, `created_at_ms`),
  key `ix_sessions_agent_id_created_at_ms` (`agent_id`, `created_at_ms`),
  key `ix_sessions_parent_id_created_at_ms` (`parent_id`, `created_at_ms`),
  key `ix_sessions_last_message_at_ms` (`last_message_at_ms`),
  key `ix_sessions_expires_at_ms_status` (`expires_at_ms`, `status`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `session_messages` (
  `stream` varchar(64) not null,
  `seq` bigint not null,
  `at_ms` bigint not null,
  `project_id` varchar(64) not null,
  `message` json not null,
  `author` varchar(100) not null,
  `model` varchar(200),
  `usage` json,
  `run_id` varchar(64),
  primary key (`stream`, `seq`),
  key `ix_session_messages_at_ms` (`at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `config_entries` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `key` varchar(64) not null,
  `value` json,
  `changed_by` varchar(100),
  primary key (`id`),
  unique key `uq_config_entries_key` (`key`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `config_revisions` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `last_key` varchar(64) not null,
  primary key (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `nodes` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `state` varchar(16) not null,
  `release` varchar(64) not null,
  `label` varchar(200) not null,
  `started_at_ms` bigint not null,
  `lease_until_ms` bigint not null,
  `attempt` bigint not null,
  `offers` json not null,
  primary key (`id`),
  key `ix_nodes_state_lease_until_ms` (`state`, `lease_until_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `mcp_sessions` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `caller_id` varchar(100) not null,
  `address` varchar(100) not null,
  `revision` varchar(16) not null,
  `capabilities` json not null,
  `watches` json not null,
  `log_level` bigint,
  `cancelled` json not null,
  `ended_at_ms` bigint,
  `moved_at_ms` bigint not null,
  `expires_at_ms` bigint not null,
  primary key (`id`),
  key `ix_mcp_sessions_moved_at_ms` (`moved_at_ms`),
  key `ix_mcp_sessions_expires_at_ms` (`expires_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `mcp_news` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `server` varchar(64) not null,
  `what` varchar(16) not null,
  `uri` longtext not null,
  `principal` varchar(100) not null,
  `moved_at_ms` bigint not null,
  primary key (`id`),
  key `ix_mcp_news_moved_at_ms` (`moved_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `parked_calls` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `kind` varchar(16) not null,
  `caller_id` varchar(100) not null,
  `address` varchar(100) not null,
  `server` varchar(64) not null,
  `tool` varchar(560) not null,
  `node_id` varchar(64) not null,
  `state` varchar(16) not null,
  `round` bigint not null,
  `questions` longtext,
  `answers` longtext,
  `outcome` longtext,
  `moved_at_ms` bigint not null,
  `expires_at_ms` bigint not null,
  primary key (`id`),
  key `ix_parked_calls_node_id_state_moved_at_ms` (`node_id`, `state`, `moved_at_ms`),
  key `ix_parked_calls_expires_at_ms` (`expires_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `mcp_servers` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(40) not null,
  `description` longtext,
  `type` varchar(16) not null,
  `url` longtext,
  `command` varchar(1000),
  `args` json,
  `headers` json,
  `auth_mode` varchar(16) not null,
  `credential` longtext,
  `credential_header` varchar(100),
  `oauth` json,
  `client_secret` longtext,
  `openapi` json,
  `connect_timeout_ms` bigint,
  `call_timeout_ms` bigint,
  `trust_level` varchar(16) not null,
  `resilience` json,
  `tools` json,
  `pin` varchar(16),
  `enabled` tinyint(1) not null,
  `created_by` varchar(100),
  primary key (`id`),
  unique key `uq_mcp_servers_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `oauth_tokens` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `server` varchar(64) not null,
  `principal` varchar(100) not null,
  `state` varchar(16) not null,
  `grant` varchar(40) not null,
  `url` longtext not null,
  `issuer` longtext not null,
  `client_id` longtext not null,
  `resource` longtext,
  `scope` longtext,
  `wanted_scope` longtext,
  `access_token` longtext,
  `refresh_token` longtext,
  `expires_at_ms` bigint,
  `refresh_expires_at_ms` bigint,
  `authenticated_by` varchar(100) not null,
  `authenticated_at_ms` bigint not null,
  `last_refreshed_at_ms` bigint,
  `last_error` varchar(200),
  `retry_at_ms` bigint not null,
  `hold_until_ms` bigint not null,
  `attempt` bigint not null,
  primary key (`id`),
  unique key `uq_oauth_tokens_server_principal` (`server`, `principal`),
  key `ix_oauth_tokens_hold_until_ms` (`hold_until_ms`),
  key `ix_oauth_tokens_state_expires_at_ms` (`state`, `expires_at_ms`),
  key `ix_oauth_tokens_state_refresh_expires_at_ms` (`state`, `refresh_expires_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `oauth_states` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `server` varchar(64) not null,
  `principal` varchar(100) not null,
  `started_by` varchar(100) not null,
  `issuer` longtext not null,
  `client_id` longtext not null,
  `url` longtext not null,
  `resource` longtext,
  `scope` longtext,
  `redirect_uri` longtext not null,
  `return_url` varchar(500),
  `verifier` longtext not null,
  `authorization_url` longtext,
  `client_secret` longtext,
  `client_ends_at_ms` bigint,
  `former_issuer` longtext,
  `code_digest` varchar(64) not null,
  `tries` bigint not null,
  `cookie_digest` varchar(64),
  `expires_at_ms` bigint not null,
  primary key (`id`),
  key `ix_oauth_states_expires_at_ms` (`expires_at_ms`),
  key `ix_oauth_states_server_principal` (`server`, `principal`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `oauth_clients` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `server` varchar(64) not null,
  `issuer` longtext not null,
  `client_id` longtext,
  `client_secret` longtext,
  `redirect_uri` longtext,
  `expires_at_ms` bigint,
  primary key (`id`),
  unique key `uq_oauth_clients_server` (`server`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `namespaces` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(40) not null,
  `servers` json not null,
  `naming` varchar(16) not null,
  `conflicts` varchar(16) not null,
  `names` json not null,
  `tools` json not null,
  `instructions` longtext,
  `restricted` tinyint(1) not null,
  primary key (`id`),
  unique key `uq_namespaces_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `mcp_tools` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `server` varchar(40) not null,
  `tool` varchar(512) not null,
  `name` varchar(128),
  `title` varchar(500),
  `description` longtext,
  `hidden` tinyint(1) not null,
  `arguments` json,
  primary key (`id`),
  unique key `uq_mcp_tools_server_tool` (`server`, `tool`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `tool_pins` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `server` varchar(40) not null,
  `tool` varchar(512) not null,
  `status` varchar(16) not null,
  `digest` varchar(64),
  `seen_digest` varchar(64),
  `seen_at_ms` bigint,
  `item_id` varchar(64),
  `decided_by` varchar(100),
  `decided_at_ms` bigint,
  primary key (`id`),
  key `ix_tool_pins_server_id` (`server`, `id`),
  key `ix_tool_pins_status_id` (`status`, `id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `tool_definitions` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `pin_id` varchar(64) not null,
  `definition` longtext not null,
  primary key (`id`),
  key `ix_tool_definitions_pin_id` (`pin_id`),
  constraint `fk_tool_definitions_pin_id` foreign key (`pin_id`) references `tool_pins` (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `tool_results` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `caller_id` varchar(100) not null,
  `tool` varchar(560) not null,
  `bytes` bigint not null,
  `parts` bigint not null,
  `expires_at_ms` bigint not null,
  primary key (`id`),
  key `ix_tool_results_expires_at_ms` (`expires_at_ms`),
  key `ix_tool_results_caller_id_created_at_ms` (`caller_id`, `created_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `tool_result_parts` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `result_id` varchar(64) not null,
  `text` longtext not null,
  primary key (`id`),
  key `ix_tool_result_parts_result_id` (`result_id`),
  constraint `fk_tool_result_parts_result_id` foreign key (`result_id`) references `tool_results` (`id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `used_request_states` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `expires_at_ms` bigint not null,
  primary key (`id`),
  key `ix_used_request_states_expires_at_ms` (`expires_at_ms`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `argument_rules` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `name` varchar(40) not null,
  `description` longtext,
  `tools` json not null,
  `when` longtext not null,
  `effect` varchar(16) not null,
  `message` varchar(500),
  `enabled` tinyint(1) not null,
  primary key (`id`),
  unique key `uq_argument_rules_name` (`name`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `enrichment_rules` (
  `id` varchar(64) not null,
  `version` bigint not null,
  `created_at_ms` bigint not null,
  `updated_at_ms` bigint not null,
  `server` varchar(40) not null,
  `tool` varchar(512) not null,
  `when` json not null,
  `source` json not null,
  `bindings` json not null,
  `merge` json not null,
  `position` bigint not null,
  `timeout_ms` bigint not null,
  `cache_ttl_ms` bigint not null,
  `on_error` varchar(16) not null,
  `enabled` tinyint(1) not null,
  `description` longtext,
  primary key (`id`),
  key `ix_enrichment_rules_server_id` (`server`, `id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `sallyport_changes` (
  `id` bigint not null auto_increment primary key,
  `entity` varchar(64) not null,
  `row_id` varchar(64) not null,
  `version` bigint not null,
  key `ix_sallyport_changes_entity_row_id` (`entity`, `row_id`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;

create table if not exists `sallyport_log_heads` (
  `log` varchar(64) not null,
  `stream` varchar(64) not null,
  `last_seq` bigint not null,
  primary key (`log`, `stream`)
) engine=innodb row_format=dynamic default charset=utf8mb4 /*!80017 collate=utf8mb4_0900_bin */ /*M!100600 collate=utf8mb4_nopad_bin */;
