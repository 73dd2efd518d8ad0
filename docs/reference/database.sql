-- Every table of Sallyport 0.1 as a migrated MySQL or MariaDB has it. Made by tools/database-sql.mjs; read it, do not run it: `sallyport migrate` makes the tables.
-- Instants are Unix ms, booleans 0 or 1, sums of money nano-US-dollars. Text is utf8mb4 and compares by code point; tables are InnoDB.

CREATE TABLE `alert_channels` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(200) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `settings` json NOT NULL,
  `secret` longtext DEFAULT NULL,
  `enabled` tinyint(1) NOT NULL,
  PRIMARY KEY (`id`)
);

CREATE TABLE `alert_notifications` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `alert_id` varchar(64) NOT NULL,
  `channel_id` varchar(64) NOT NULL,
  `event` varchar(16) NOT NULL,
  `status` varchar(16) NOT NULL,
  `attempt` bigint NOT NULL,
  `due_at_ms` bigint NOT NULL,
  `sent_at_ms` bigint DEFAULT NULL,
  `error` longtext DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_alert_notifications_status_due_at_ms` (`status`,`due_at_ms`),
  KEY `ix_alert_notifications_alert_id` (`alert_id`),
  CONSTRAINT `fk_alert_notifications_alert_id` FOREIGN KEY (`alert_id`) REFERENCES `alerts` (`id`)
);

CREATE TABLE `alert_rules` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(200) NOT NULL,
  `metric` varchar(32) NOT NULL,
  `condition` varchar(4) NOT NULL,
  `threshold` json NOT NULL,
  `window_minutes` bigint NOT NULL,
  `severity` varchar(8) NOT NULL,
  `channels` json NOT NULL,
  `filters` json NOT NULL,
  `enabled` tinyint(1) NOT NULL,
  `due_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_alert_rules_enabled_due_at_ms` (`enabled`,`due_at_ms`)
);

CREATE TABLE `alerts` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `rule_id` varchar(64) NOT NULL,
  `open_key` varchar(64) NOT NULL,
  `status` varchar(16) NOT NULL,
  `rule_name` varchar(200) NOT NULL,
  `metric` varchar(32) NOT NULL,
  `severity` varchar(8) NOT NULL,
  `value` json NOT NULL,
  `threshold` json NOT NULL,
  `message` varchar(1000) NOT NULL,
  `started_at_ms` bigint NOT NULL,
  `acknowledged_at_ms` bigint DEFAULT NULL,
  `acknowledged_by` varchar(100) DEFAULT NULL,
  `resolved_at_ms` bigint DEFAULT NULL,
  `resolved_by` varchar(100) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_alerts_open_key` (`open_key`),
  KEY `ix_alerts_status_started_at_ms` (`status`,`started_at_ms`),
  KEY `ix_alerts_started_at_ms` (`started_at_ms`),
  KEY `ix_alerts_rule_id_started_at_ms` (`rule_id`,`started_at_ms`)
);

CREATE TABLE `approval_rules` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `server` varchar(100) NOT NULL,
  `tool` varchar(200) NOT NULL,
  `caller_id` varchar(100) DEFAULT NULL,
  `conditions` json NOT NULL,
  `expires_at_ms` bigint DEFAULT NULL,
  `created_by` varchar(100) NOT NULL,
  `approval_id` varchar(64) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_approval_rules_project_id` (`project_id`)
);

CREATE TABLE `argument_rules` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(40) NOT NULL,
  `description` longtext DEFAULT NULL,
  `tools` json NOT NULL,
  `when` longtext NOT NULL,
  `effect` varchar(16) NOT NULL,
  `message` varchar(500) DEFAULT NULL,
  `enabled` tinyint(1) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_argument_rules_name` (`name`)
);

CREATE TABLE `audit_entries` (
  `id` varchar(64) NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `caller_id` varchar(100) NOT NULL,
  `actor_kind` varchar(8) DEFAULT NULL,
  `key_id` varchar(64) DEFAULT NULL,
  `user_id` varchar(64) DEFAULT NULL,
  `team_id` varchar(64) DEFAULT NULL,
  `action` varchar(100) NOT NULL,
  `target` varchar(200) NOT NULL,
  `resource_type` varchar(40) DEFAULT NULL,
  `request_id` varchar(64) NOT NULL,
  `source` varchar(8) DEFAULT NULL,
  `purpose` varchar(500) DEFAULT NULL,
  `outcome` varchar(16) NOT NULL,
  `code` varchar(64) DEFAULT NULL,
  `status` bigint NOT NULL,
  `duration_ms` bigint NOT NULL,
  `parameters` json DEFAULT NULL,
  `changed` json DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_audit_entries_project_id_at_ms` (`project_id`,`at_ms`),
  KEY `ix_audit_entries_caller_id_at_ms` (`caller_id`,`at_ms`),
  KEY `ix_audit_entries_request_id` (`request_id`),
  KEY `ix_audit_entries_at_ms` (`at_ms`)
);

CREATE TABLE `auth_events` (
  `id` varchar(64) NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `kind` varchar(40) NOT NULL,
  `outcome` varchar(8) NOT NULL,
  `caller_id` varchar(100) DEFAULT NULL,
  `target_id` varchar(64) DEFAULT NULL,
  `address` varchar(64) DEFAULT NULL,
  `request_id` varchar(64) DEFAULT NULL,
  `detail` json DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_auth_events_project_id_at_ms` (`project_id`,`at_ms`),
  KEY `ix_auth_events_kind_at_ms` (`kind`,`at_ms`),
  KEY `ix_auth_events_caller_id_at_ms` (`caller_id`,`at_ms`),
  KEY `ix_auth_events_target_id_at_ms` (`target_id`,`at_ms`),
  KEY `ix_auth_events_at_ms` (`at_ms`)
);

CREATE TABLE `batch_lines` (
  `stream` varchar(64) NOT NULL,
  `seq` bigint NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `custom_id` longtext NOT NULL,
  `ok` tinyint(1) NOT NULL,
  `status` bigint NOT NULL,
  `request_id` varchar(64) NOT NULL,
  `body` longtext NOT NULL,
  PRIMARY KEY (`stream`,`seq`),
  KEY `ix_batch_lines_at_ms` (`at_ms`)
);

CREATE TABLE `budget_windows` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `budget_id` varchar(64) NOT NULL,
  `budget_version` bigint NOT NULL,
  `start_ms` bigint NOT NULL,
  `end_ms` bigint DEFAULT NULL,
  `limit_nano_usd` bigint NOT NULL,
  `left_nano_usd` bigint NOT NULL,
  `spent_nano_usd` bigint NOT NULL,
  `reserved_nano_usd` bigint NOT NULL,
  `fired_percent` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_budget_windows_budget_id_start_ms` (`budget_id`,`start_ms`)
);

CREATE TABLE `budgets` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `name` varchar(100) NOT NULL,
  `scope` varchar(16) NOT NULL,
  `scope_id` varchar(100) DEFAULT NULL,
  `amount_usd` varchar(20) NOT NULL,
  `period` varchar(8) NOT NULL,
  `timezone` varchar(64) NOT NULL,
  `hard` tinyint(1) NOT NULL,
  `thresholds` json NOT NULL,
  `enabled` tinyint(1) NOT NULL,
  `all_projects` tinyint(1) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_budgets_project_id_created_at_ms` (`project_id`,`created_at_ms`),
  KEY `ix_budgets_scope_scope_id` (`scope`,`scope_id`)
);

CREATE TABLE `config_entries` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `key` varchar(64) NOT NULL,
  `value` json DEFAULT NULL,
  `changed_by` varchar(100) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_config_entries_key` (`key`)
);

CREATE TABLE `config_revisions` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `last_key` varchar(64) NOT NULL,
  PRIMARY KEY (`id`)
);

CREATE TABLE `data_keys` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `state` varchar(16) NOT NULL,
  `wrapped_by` varchar(32) NOT NULL,
  `wrapped` varchar(200) NOT NULL,
  `retired_at_ms` bigint DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_data_keys_state` (`state`)
);

CREATE TABLE `detections` (
  `id` varchar(64) NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `request_id` varchar(64) NOT NULL,
  `call_id` varchar(64) DEFAULT NULL,
  `guardrail` varchar(80) NOT NULL,
  `stage` varchar(12) NOT NULL,
  `type` varchar(20) NOT NULL,
  `severity` varchar(8) NOT NULL,
  `action` varchar(8) NOT NULL,
  `pattern` varchar(200) NOT NULL,
  `confidence` bigint NOT NULL,
  `excerpt` varchar(1000) NOT NULL,
  `caller_id` varchar(100) NOT NULL,
  `key_id` varchar(64) DEFAULT NULL,
  `model` varchar(240) DEFAULT NULL,
  `server` varchar(100) DEFAULT NULL,
  `tool` varchar(200) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_detections_project_id_at_ms` (`project_id`,`at_ms`),
  KEY `ix_detections_request_id` (`request_id`),
  KEY `ix_detections_guardrail_at_ms` (`guardrail`,`at_ms`),
  KEY `ix_detections_type_at_ms` (`type`,`at_ms`),
  KEY `ix_detections_severity_at_ms` (`severity`,`at_ms`),
  KEY `ix_detections_action_at_ms` (`action`,`at_ms`),
  KEY `ix_detections_caller_id_at_ms` (`caller_id`,`at_ms`),
  KEY `ix_detections_server_at_ms` (`server`,`at_ms`),
  KEY `ix_detections_at_ms` (`at_ms`)
);

CREATE TABLE `enrichment_rules` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `server` varchar(40) NOT NULL,
  `tool` varchar(512) NOT NULL,
  `when` json NOT NULL,
  `source` json NOT NULL,
  `bindings` json NOT NULL,
  `merge` json NOT NULL,
  `position` bigint NOT NULL,
  `timeout_ms` bigint NOT NULL,
  `cache_ttl_ms` bigint NOT NULL,
  `on_error` varchar(16) NOT NULL,
  `enabled` tinyint(1) NOT NULL,
  `description` longtext DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_enrichment_rules_server_id` (`server`,`id`)
);

CREATE TABLE `file_chunks` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `file_id` varchar(64) NOT NULL,
  `data` longtext NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_file_chunks_file_id` (`file_id`),
  CONSTRAINT `fk_file_chunks_file_id` FOREIGN KEY (`file_id`) REFERENCES `vendor_objects` (`id`)
);

CREATE TABLE `gateway_keys` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(200) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `digest` varchar(64) NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `scopes` json NOT NULL,
  `enabled` tinyint(1) NOT NULL,
  `expires_at_ms` bigint DEFAULT NULL,
  `last_used_at_ms` bigint DEFAULT NULL,
  `environment` varchar(12) DEFAULT NULL,
  `prefix` varchar(60) DEFAULT NULL,
  `user_id` varchar(64) DEFAULT NULL,
  `team_id` varchar(64) DEFAULT NULL,
  `parent_id` varchar(64) DEFAULT NULL,
  `rate_limit` json DEFAULT NULL,
  `previous_digest` varchar(64) DEFAULT NULL,
  `previous_until_ms` bigint DEFAULT NULL,
  `legacy_hash` varchar(300) DEFAULT NULL,
  `legacy_scheme` varchar(40) DEFAULT NULL,
  `revoked_at_ms` bigint DEFAULT NULL,
  `created_by` varchar(100) DEFAULT NULL,
  `metadata` json DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_gateway_keys_digest` (`digest`),
  KEY `ix_gateway_keys_kind` (`kind`),
  KEY `ix_gateway_keys_project_id_created_at_ms` (`project_id`,`created_at_ms`),
  KEY `ix_gateway_keys_parent_id` (`parent_id`),
  KEY `ix_gateway_keys_user_id` (`user_id`)
);

CREATE TABLE `guardrails` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(40) NOT NULL,
  `enabled` tinyint(1) NOT NULL,
  `priority` bigint NOT NULL,
  `stages` json NOT NULL,
  `kind` varchar(16) NOT NULL,
  `settings` json NOT NULL,
  `action` varchar(8) NOT NULL,
  `severity` varchar(8) DEFAULT NULL,
  `unseen` varchar(8) DEFAULT NULL,
  `applies` json NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_guardrails_name` (`name`)
);

CREATE TABLE `idempotency_keys` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `caller_id` varchar(100) NOT NULL,
  `key` varchar(200) NOT NULL,
  `payload_hash` varchar(64) NOT NULL,
  `state` varchar(8) NOT NULL,
  `status` bigint DEFAULT NULL,
  `answer` longtext DEFAULT NULL,
  `withheld` json NOT NULL,
  `lease_until_ms` bigint NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_idempotency_keys_project_id_caller_id_key` (`project_id`,`caller_id`,`key`),
  KEY `ix_idempotency_keys_expires_at_ms` (`expires_at_ms`)
);

CREATE TABLE `inbox_items` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `audience` varchar(120) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `status` varchar(16) NOT NULL,
  `open_key` varchar(64) NOT NULL,
  `project_id` varchar(64) DEFAULT NULL,
  `server` varchar(100) NOT NULL,
  `tool` varchar(512) DEFAULT NULL,
  `caller_id` varchar(100) DEFAULT NULL,
  `caller_name` varchar(200) DEFAULT NULL,
  `caller_ids` json NOT NULL,
  `class` varchar(16) DEFAULT NULL,
  `digest` varchar(64) DEFAULT NULL,
  `arguments` longtext DEFAULT NULL,
  `edited` longtext DEFAULT NULL,
  `pin_id` varchar(64) DEFAULT NULL,
  `differences` longtext DEFAULT NULL,
  `request_id` varchar(64) DEFAULT NULL,
  `run_id` varchar(64) DEFAULT NULL,
  `expires_at_ms` bigint DEFAULT NULL,
  `decided_by` varchar(100) DEFAULT NULL,
  `decided_at_ms` bigint DEFAULT NULL,
  `note` varchar(1000) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_inbox_items_open_key` (`open_key`),
  KEY `ix_inbox_items_audience_created_at_ms` (`audience`,`created_at_ms`),
  KEY `ix_inbox_items_status_expires_at_ms` (`status`,`expires_at_ms`),
  KEY `ix_inbox_items_kind_server` (`kind`,`server`),
  KEY `ix_inbox_items_created_at_ms` (`created_at_ms`)
);

CREATE TABLE `interrupts` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `run_id` varchar(64) NOT NULL,
  `item_id` varchar(64) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_interrupts_item_id` (`item_id`)
);

CREATE TABLE `mcp_news` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `server` varchar(64) NOT NULL,
  `what` varchar(16) NOT NULL,
  `uri` longtext NOT NULL,
  `principal` varchar(100) NOT NULL,
  `moved_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_mcp_news_moved_at_ms` (`moved_at_ms`)
);

CREATE TABLE `mcp_servers` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(40) NOT NULL,
  `description` longtext DEFAULT NULL,
  `type` varchar(16) NOT NULL,
  `url` longtext DEFAULT NULL,
  `command` varchar(1000) DEFAULT NULL,
  `args` json DEFAULT NULL,
  `headers` json DEFAULT NULL,
  `auth_mode` varchar(16) NOT NULL,
  `credential` longtext DEFAULT NULL,
  `credential_header` varchar(100) DEFAULT NULL,
  `oauth` json DEFAULT NULL,
  `client_secret` longtext DEFAULT NULL,
  `openapi` json DEFAULT NULL,
  `connect_timeout_ms` bigint DEFAULT NULL,
  `call_timeout_ms` bigint DEFAULT NULL,
  `trust_level` varchar(16) NOT NULL,
  `resilience` json DEFAULT NULL,
  `tools` json DEFAULT NULL,
  `pin` varchar(16) DEFAULT NULL,
  `enabled` tinyint(1) NOT NULL,
  `created_by` varchar(100) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_mcp_servers_name` (`name`)
);

CREATE TABLE `mcp_sessions` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `caller_id` varchar(100) NOT NULL,
  `address` varchar(100) NOT NULL,
  `revision` varchar(16) NOT NULL,
  `capabilities` json NOT NULL,
  `watches` json NOT NULL,
  `log_level` bigint DEFAULT NULL,
  `cancelled` json NOT NULL,
  `ended_at_ms` bigint DEFAULT NULL,
  `moved_at_ms` bigint NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_mcp_sessions_moved_at_ms` (`moved_at_ms`),
  KEY `ix_mcp_sessions_expires_at_ms` (`expires_at_ms`)
);

CREATE TABLE `mcp_tools` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `server` varchar(40) NOT NULL,
  `tool` varchar(512) NOT NULL,
  `name` varchar(128) DEFAULT NULL,
  `title` varchar(500) DEFAULT NULL,
  `description` longtext DEFAULT NULL,
  `hidden` tinyint(1) NOT NULL,
  `arguments` json DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_mcp_tools_server_tool` (`server`,`tool`)
);

CREATE TABLE `models` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `provider` varchar(40) NOT NULL,
  `code` varchar(200) NOT NULL,
  `title` varchar(200) DEFAULT NULL,
  `kind` varchar(20) DEFAULT NULL,
  `features` json DEFAULT NULL,
  `context_tokens` bigint DEFAULT NULL,
  `max_output_tokens` bigint DEFAULT NULL,
  `prices` json DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_models_provider_code` (`provider`,`code`)
);

CREATE TABLE `namespaces` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(40) NOT NULL,
  `servers` json NOT NULL,
  `naming` varchar(16) NOT NULL,
  `conflicts` varchar(16) NOT NULL,
  `names` json NOT NULL,
  `tools` json NOT NULL,
  `instructions` longtext DEFAULT NULL,
  `restricted` tinyint(1) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_namespaces_name` (`name`)
);

CREATE TABLE `nodes` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `state` varchar(16) NOT NULL,
  `release` varchar(64) NOT NULL,
  `label` varchar(200) NOT NULL,
  `started_at_ms` bigint NOT NULL,
  `lease_until_ms` bigint NOT NULL,
  `attempt` bigint NOT NULL,
  `offers` json NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_nodes_state_lease_until_ms` (`state`,`lease_until_ms`)
);

CREATE TABLE `oauth_clients` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `server` varchar(64) NOT NULL,
  `issuer` longtext NOT NULL,
  `client_id` longtext DEFAULT NULL,
  `client_secret` longtext DEFAULT NULL,
  `redirect_uri` longtext DEFAULT NULL,
  `expires_at_ms` bigint DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_oauth_clients_server` (`server`)
);

CREATE TABLE `oauth_states` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `server` varchar(64) NOT NULL,
  `principal` varchar(100) NOT NULL,
  `started_by` varchar(100) NOT NULL,
  `issuer` longtext NOT NULL,
  `client_id` longtext NOT NULL,
  `url` longtext NOT NULL,
  `resource` longtext DEFAULT NULL,
  `scope` longtext DEFAULT NULL,
  `redirect_uri` longtext NOT NULL,
  `return_url` varchar(500) DEFAULT NULL,
  `verifier` longtext NOT NULL,
  `authorization_url` longtext DEFAULT NULL,
  `client_secret` longtext DEFAULT NULL,
  `client_ends_at_ms` bigint DEFAULT NULL,
  `former_issuer` longtext DEFAULT NULL,
  `code_digest` varchar(64) NOT NULL,
  `tries` bigint NOT NULL,
  `cookie_digest` varchar(64) DEFAULT NULL,
  `expires_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_oauth_states_expires_at_ms` (`expires_at_ms`),
  KEY `ix_oauth_states_server_principal` (`server`,`principal`)
);

CREATE TABLE `oauth_tokens` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `server` varchar(64) NOT NULL,
  `principal` varchar(100) NOT NULL,
  `state` varchar(16) NOT NULL,
  `grant` varchar(40) NOT NULL,
  `url` longtext NOT NULL,
  `issuer` longtext NOT NULL,
  `client_id` longtext NOT NULL,
  `resource` longtext DEFAULT NULL,
  `scope` longtext DEFAULT NULL,
  `wanted_scope` longtext DEFAULT NULL,
  `access_token` longtext DEFAULT NULL,
  `refresh_token` longtext DEFAULT NULL,
  `expires_at_ms` bigint DEFAULT NULL,
  `refresh_expires_at_ms` bigint DEFAULT NULL,
  `authenticated_by` varchar(100) NOT NULL,
  `authenticated_at_ms` bigint NOT NULL,
  `last_refreshed_at_ms` bigint DEFAULT NULL,
  `last_error` varchar(200) DEFAULT NULL,
  `retry_at_ms` bigint NOT NULL,
  `hold_until_ms` bigint NOT NULL,
  `attempt` bigint NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_oauth_tokens_server_principal` (`server`,`principal`),
  KEY `ix_oauth_tokens_hold_until_ms` (`hold_until_ms`),
  KEY `ix_oauth_tokens_state_expires_at_ms` (`state`,`expires_at_ms`),
  KEY `ix_oauth_tokens_state_refresh_expires_at_ms` (`state`,`refresh_expires_at_ms`)
);

CREATE TABLE `opaque_tokens` (
  `id` varchar(64) NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `call_hash` varchar(64) NOT NULL,
  `sealed` longtext NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_opaque_tokens_call_hash_at_ms` (`call_hash`,`at_ms`),
  KEY `ix_opaque_tokens_at_ms` (`at_ms`)
);

CREATE TABLE `open_calls` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `calls` json NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  `attempt` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_open_calls_expires_at_ms` (`expires_at_ms`)
);

CREATE TABLE `parked_calls` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `kind` varchar(16) NOT NULL,
  `caller_id` varchar(100) NOT NULL,
  `address` varchar(100) NOT NULL,
  `server` varchar(64) NOT NULL,
  `tool` varchar(560) NOT NULL,
  `node_id` varchar(64) NOT NULL,
  `state` varchar(16) NOT NULL,
  `round` bigint NOT NULL,
  `questions` longtext DEFAULT NULL,
  `answers` longtext DEFAULT NULL,
  `outcome` longtext DEFAULT NULL,
  `moved_at_ms` bigint NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_parked_calls_node_id_state_moved_at_ms` (`node_id`,`state`,`moved_at_ms`),
  KEY `ix_parked_calls_expires_at_ms` (`expires_at_ms`)
);

CREATE TABLE `personas` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(40) NOT NULL,
  `description` varchar(2000) DEFAULT NULL,
  `roles` json NOT NULL,
  `keys` json NOT NULL,
  `users` json NOT NULL,
  `projects` json NOT NULL,
  `agents` json NOT NULL,
  `servers` json NOT NULL,
  `tools` json NOT NULL,
  `created_by` varchar(100) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_personas_name` (`name`)
);

CREATE TABLE `projects` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `name` varchar(100) NOT NULL,
  `description` varchar(2000) DEFAULT NULL,
  `metadata` json DEFAULT NULL,
  `created_by` varchar(100) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_projects_project_id_created_at_ms` (`project_id`,`created_at_ms`),
  KEY `ix_projects_name` (`name`)
);

CREATE TABLE `provider_keys` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `provider` varchar(40) NOT NULL,
  `label` varchar(100) DEFAULT NULL,
  `value` longtext NOT NULL,
  `weight` bigint NOT NULL,
  `enabled` tinyint(1) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_provider_keys_provider` (`provider`)
);

CREATE TABLE `providers` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(40) NOT NULL,
  `vendor` varchar(40) DEFAULT NULL,
  `base_url` varchar(500) DEFAULT NULL,
  `api_key` longtext DEFAULT NULL,
  `protocols` json DEFAULT NULL,
  `quirks` json DEFAULT NULL,
  `auth` json DEFAULT NULL,
  `enabled` tinyint(1) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_providers_name` (`name`)
);

CREATE TABLE `rate_limits` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `subject` varchar(16) NOT NULL,
  `subject_id` varchar(240) NOT NULL,
  `requests_per_minute` bigint DEFAULT NULL,
  `tokens_per_minute` bigint DEFAULT NULL,
  `concurrency` bigint DEFAULT NULL,
  `enabled` tinyint(1) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_rate_limits_subject_subject_id` (`subject`,`subject_id`)
);

CREATE TABLE `reservations` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `call` json NOT NULL,
  `provider` varchar(100) DEFAULT NULL,
  `model` varchar(200) DEFAULT NULL,
  `amount_nano_usd` bigint DEFAULT NULL,
  `shares` json NOT NULL,
  `shares_nano_usd` bigint NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  `attempt` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_reservations_expires_at_ms` (`expires_at_ms`)
);

CREATE TABLE `role_bindings` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `user_id` varchar(64) NOT NULL,
  `role` varchar(64) NOT NULL,
  `scope` varchar(16) NOT NULL,
  `scope_id` varchar(64) NOT NULL,
  `created_by` varchar(100) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_role_bindings_user_id_role_scope_scope_id` (`user_id`,`role`,`scope`,`scope_id`),
  KEY `ix_role_bindings_project_id_created_at_ms` (`project_id`,`created_at_ms`),
  KEY `ix_role_bindings_user_id` (`user_id`),
  KEY `ix_role_bindings_role` (`role`),
  CONSTRAINT `fk_role_bindings_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`)
);

CREATE TABLE `roles` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `name` varchar(40) NOT NULL,
  `description` varchar(1000) DEFAULT NULL,
  `scopes` json NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_roles_project_id_name` (`project_id`,`name`),
  KEY `ix_roles_project_id_created_at_ms` (`project_id`,`created_at_ms`),
  KEY `ix_roles_name` (`name`)
);

CREATE TABLE `routes` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `name` varchar(40) NOT NULL,
  `strategy` varchar(16) NOT NULL,
  `targets` json NOT NULL,
  `sticky` varchar(16) NOT NULL,
  `timeouts` json NOT NULL,
  `retries` json NOT NULL,
  `fallback_on` json NOT NULL,
  `context_overflow` varchar(240) DEFAULT NULL,
  `hedge_after_ms` bigint DEFAULT NULL,
  `canary` json DEFAULT NULL,
  `shadow` json DEFAULT NULL,
  `cache` json DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_routes_name` (`name`)
);

CREATE TABLE `run_events` (
  `stream` varchar(64) NOT NULL,
  `seq` bigint NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `event` json NOT NULL,
  PRIMARY KEY (`stream`,`seq`),
  KEY `ix_run_events_at_ms` (`at_ms`)
);

CREATE TABLE `run_steps` (
  `stream` varchar(64) NOT NULL,
  `seq` bigint NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `attempt` bigint NOT NULL,
  `step` bigint NOT NULL,
  `kind` varchar(32) NOT NULL,
  `body` json NOT NULL,
  PRIMARY KEY (`stream`,`seq`),
  KEY `ix_run_steps_at_ms` (`at_ms`)
);

CREATE TABLE `runs` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `status` varchar(16) NOT NULL,
  `model` varchar(200) NOT NULL,
  `input` json NOT NULL,
  `tools` json NOT NULL,
  `options` json NOT NULL,
  `caller` json NOT NULL,
  `text` longtext DEFAULT NULL,
  `output` json DEFAULT NULL,
  `error` json DEFAULT NULL,
  `usage` json NOT NULL,
  `steps` bigint NOT NULL,
  `attempt` bigint NOT NULL,
  `lease_until_ms` bigint NOT NULL,
  `holder` varchar(64) DEFAULT NULL,
  `cancel_requested` tinyint(1) NOT NULL,
  `cancel_reason` varchar(500) DEFAULT NULL,
  `idempotency_key` varchar(200) DEFAULT NULL,
  `payload_hash` varchar(64) NOT NULL,
  `started_at_ms` bigint DEFAULT NULL,
  `finished_at_ms` bigint DEFAULT NULL,
  `waiting_since_ms` bigint DEFAULT NULL,
  `waited_ms` bigint DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_runs_status_lease_until_ms` (`status`,`lease_until_ms`),
  KEY `ix_runs_status_cancel_requested` (`status`,`cancel_requested`),
  KEY `ix_runs_project_id_created_at_ms` (`project_id`,`created_at_ms`)
);

CREATE TABLE `sallyport_changes` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `entity` varchar(64) NOT NULL,
  `row_id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_sallyport_changes_entity_row_id` (`entity`,`row_id`)
);

CREATE TABLE `sallyport_log_heads` (
  `log` varchar(64) NOT NULL,
  `stream` varchar(64) NOT NULL,
  `last_seq` bigint NOT NULL,
  PRIMARY KEY (`log`,`stream`)
);

CREATE TABLE `sallyport_migrations` (
  `id` varchar(64) NOT NULL,
  `applied_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`)
);

CREATE TABLE `session_messages` (
  `stream` varchar(64) NOT NULL,
  `seq` bigint NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `message` json NOT NULL,
  `author` varchar(100) NOT NULL,
  `model` varchar(200) DEFAULT NULL,
  `usage` json DEFAULT NULL,
  `run_id` varchar(64) DEFAULT NULL,
  PRIMARY KEY (`stream`,`seq`),
  KEY `ix_session_messages_at_ms` (`at_ms`)
);

CREATE TABLE `sessions` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `title` varchar(200) DEFAULT NULL,
  `user_id` varchar(100) DEFAULT NULL,
  `agent_id` varchar(64) DEFAULT NULL,
  `provider` varchar(100) DEFAULT NULL,
  `model` varchar(200) DEFAULT NULL,
  `instructions` longtext DEFAULT NULL,
  `mcp` json NOT NULL,
  `status` varchar(16) NOT NULL,
  `message_count` bigint NOT NULL,
  `bytes` bigint NOT NULL,
  `last_seq` bigint NOT NULL,
  `last_message_at_ms` bigint DEFAULT NULL,
  `parent_id` varchar(64) DEFAULT NULL,
  `branch_seq` bigint DEFAULT NULL,
  `pinned` json NOT NULL,
  `summary` longtext DEFAULT NULL,
  `summary_seq` bigint NOT NULL,
  `summary_until_ms` bigint NOT NULL,
  `turn_id` varchar(64) DEFAULT NULL,
  `last_accessed_at_ms` bigint NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  `metadata` json NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_sessions_project_id_created_at_ms` (`project_id`,`created_at_ms`),
  KEY `ix_sessions_user_id_created_at_ms` (`user_id`,`created_at_ms`),
  KEY `ix_sessions_agent_id_created_at_ms` (`agent_id`,`created_at_ms`),
  KEY `ix_sessions_parent_id_created_at_ms` (`parent_id`,`created_at_ms`),
  KEY `ix_sessions_last_message_at_ms` (`last_message_at_ms`),
  KEY `ix_sessions_expires_at_ms_status` (`expires_at_ms`,`status`)
);

CREATE TABLE `sign_in_states` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `digest` varchar(64) NOT NULL,
  `cookie_digest` varchar(64) NOT NULL,
  `provider` varchar(60) NOT NULL,
  `return_to` varchar(500) DEFAULT NULL,
  `expires_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_sign_in_states_digest` (`digest`),
  KEY `ix_sign_in_states_expires_at_ms` (`expires_at_ms`)
);

CREATE TABLE `stored_response_events` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `response_id` varchar(64) NOT NULL,
  `last_sequence` bigint NOT NULL,
  `events` longtext NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_stored_response_events_response_id_last_sequence` (`response_id`,`last_sequence`),
  CONSTRAINT `fk_stored_response_events_response_id` FOREIGN KEY (`response_id`) REFERENCES `stored_responses` (`id`)
);

CREATE TABLE `stored_response_items` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `item_id` varchar(200) NOT NULL,
  `response_id` varchar(64) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_stored_response_items_project_id_item_id` (`project_id`,`item_id`),
  KEY `ix_stored_response_items_response_id` (`response_id`),
  CONSTRAINT `fk_stored_response_items_response_id` FOREIGN KEY (`response_id`) REFERENCES `stored_responses` (`id`)
);

CREATE TABLE `stored_responses` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `status` varchar(16) NOT NULL,
  `background` tinyint(1) NOT NULL,
  `chain` json NOT NULL,
  `input` longtext NOT NULL,
  `response` longtext NOT NULL,
  `provider` varchar(100) DEFAULT NULL,
  `holder` varchar(64) DEFAULT NULL,
  `lease_until_ms` bigint NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_stored_responses_expires_at_ms` (`expires_at_ms`),
  KEY `ix_stored_responses_project_id_created_at_ms` (`project_id`,`created_at_ms`)
);

CREATE TABLE `tasks` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `type` varchar(100) NOT NULL,
  `status` varchar(16) NOT NULL,
  `payload` json DEFAULT NULL,
  `result` json DEFAULT NULL,
  `error` json DEFAULT NULL,
  `priority` bigint NOT NULL,
  `due_at_ms` bigint NOT NULL,
  `ready_at_ms` bigint NOT NULL,
  `attempt` bigint NOT NULL,
  `uncounted` bigint NOT NULL,
  `max_attempts` bigint NOT NULL,
  `backoff_ms` bigint NOT NULL,
  `lease_ms` bigint NOT NULL,
  `holder` varchar(64) DEFAULT NULL,
  `cancel_requested` tinyint(1) NOT NULL,
  `cancel_reason` varchar(500) DEFAULT NULL,
  `dead_letter` tinyint(1) NOT NULL,
  `idempotency_key` varchar(200) DEFAULT NULL,
  `payload_hash` varchar(64) NOT NULL,
  `created_by` varchar(100) NOT NULL,
  `started_at_ms` bigint DEFAULT NULL,
  `finished_at_ms` bigint DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_tasks_project_id_idempotency_key` (`project_id`,`idempotency_key`),
  KEY `ix_tasks_status_type_priority_ready_at_ms_id` (`status`,`type`,`priority`,`ready_at_ms`,`id`),
  KEY `ix_tasks_status_cancel_requested` (`status`,`cancel_requested`),
  KEY `ix_tasks_project_id_created_at_ms` (`project_id`,`created_at_ms`)
);

CREATE TABLE `teams` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `name` varchar(100) NOT NULL,
  `description` varchar(1000) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_teams_project_id_name` (`project_id`,`name`),
  KEY `ix_teams_project_id_created_at_ms` (`project_id`,`created_at_ms`),
  KEY `ix_teams_name` (`name`)
);

CREATE TABLE `tool_classifications` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `server` varchar(100) NOT NULL,
  `tool` varchar(200) NOT NULL,
  `class` varchar(16) NOT NULL,
  `requires_approval` tinyint(1) NOT NULL,
  `note` varchar(500) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_tool_classifications_server_tool` (`server`,`tool`)
);

CREATE TABLE `tool_definitions` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `pin_id` varchar(64) NOT NULL,
  `definition` longtext NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_tool_definitions_pin_id` (`pin_id`),
  CONSTRAINT `fk_tool_definitions_pin_id` FOREIGN KEY (`pin_id`) REFERENCES `tool_pins` (`id`)
);

CREATE TABLE `tool_permissions` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `subject` varchar(16) NOT NULL,
  `subject_id` varchar(100) NOT NULL,
  `server` varchar(100) NOT NULL,
  `tool` varchar(200) NOT NULL,
  `max_uses_day` bigint DEFAULT NULL,
  `expires_at_ms` bigint DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_tool_permissions_subject_subject_id` (`subject`,`subject_id`)
);

CREATE TABLE `tool_pins` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `server` varchar(40) NOT NULL,
  `tool` varchar(512) NOT NULL,
  `status` varchar(16) NOT NULL,
  `digest` varchar(64) DEFAULT NULL,
  `seen_digest` varchar(64) DEFAULT NULL,
  `seen_at_ms` bigint DEFAULT NULL,
  `item_id` varchar(64) DEFAULT NULL,
  `decided_by` varchar(100) DEFAULT NULL,
  `decided_at_ms` bigint DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_tool_pins_server_id` (`server`,`id`),
  KEY `ix_tool_pins_status_id` (`status`,`id`)
);

CREATE TABLE `tool_result_parts` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `result_id` varchar(64) NOT NULL,
  `text` longtext NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_tool_result_parts_result_id` (`result_id`),
  CONSTRAINT `fk_tool_result_parts_result_id` FOREIGN KEY (`result_id`) REFERENCES `tool_results` (`id`)
);

CREATE TABLE `tool_results` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `caller_id` varchar(100) NOT NULL,
  `tool` varchar(560) NOT NULL,
  `bytes` bigint NOT NULL,
  `parts` bigint NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_tool_results_expires_at_ms` (`expires_at_ms`),
  KEY `ix_tool_results_caller_id_created_at_ms` (`caller_id`,`created_at_ms`)
);

CREATE TABLE `trace_spans` (
  `id` varchar(64) NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `trace_id` varchar(64) NOT NULL,
  `span_id` varchar(64) NOT NULL,
  `parent_id` varchar(64) DEFAULT NULL,
  `request_id` varchar(64) NOT NULL,
  `call_id` varchar(64) NOT NULL,
  `run_id` varchar(64) DEFAULT NULL,
  `kind` varchar(16) NOT NULL,
  `name` varchar(200) NOT NULL,
  `provider` varchar(100) DEFAULT NULL,
  `model` varchar(200) DEFAULT NULL,
  `status` varchar(8) NOT NULL,
  `status_code` bigint DEFAULT NULL,
  `code` varchar(64) DEFAULT NULL,
  `started_at_ms` bigint NOT NULL,
  `duration_ms` bigint NOT NULL,
  `request_bytes` bigint DEFAULT NULL,
  `response_bytes` bigint DEFAULT NULL,
  `cost_nano_usd` bigint DEFAULT NULL,
  `attributes` json DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_trace_spans_request_id` (`request_id`),
  KEY `ix_trace_spans_trace_id` (`trace_id`),
  KEY `ix_trace_spans_at_ms` (`at_ms`)
);

CREATE TABLE `usage_entries` (
  `id` varchar(64) NOT NULL,
  `at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `caller_id` varchar(100) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `key_id` varchar(64) DEFAULT NULL,
  `user_id` varchar(64) DEFAULT NULL,
  `team_id` varchar(64) DEFAULT NULL,
  `agent_id` varchar(64) DEFAULT NULL,
  `request_id` varchar(64) DEFAULT NULL,
  `operation` varchar(20) DEFAULT NULL,
  `name` varchar(200) NOT NULL,
  `server` varchar(64) DEFAULT NULL,
  `provider` varchar(100) DEFAULT NULL,
  `model` varchar(200) DEFAULT NULL,
  `run_id` varchar(64) DEFAULT NULL,
  `purpose` varchar(40) DEFAULT NULL,
  `input_tokens` bigint DEFAULT NULL,
  `cache_read_tokens` bigint DEFAULT NULL,
  `cache_write_tokens` bigint DEFAULT NULL,
  `output_tokens` bigint DEFAULT NULL,
  `reasoning_tokens` bigint DEFAULT NULL,
  `detail` json DEFAULT NULL,
  `cost_nano_usd` bigint DEFAULT NULL,
  `unpriced` bigint DEFAULT NULL,
  `saved_nano_usd` bigint DEFAULT NULL,
  `attempts` bigint DEFAULT NULL,
  `tried` json DEFAULT NULL,
  `estimated` tinyint(1) NOT NULL,
  `partial` tinyint(1) NOT NULL,
  `status` bigint NOT NULL,
  `duration_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_usage_entries_project_id_at_ms_caller_id_key_id_use_4e1a94b0` (`project_id`,`at_ms`,`caller_id`,`key_id`,`user_id`,`team_id`,`agent_id`),
  KEY `ix_usage_entries_name_at_ms_kind_server` (`name`,`at_ms`,`kind`,`server`),
  KEY `ix_usage_entries_request_id` (`request_id`),
  KEY `ix_usage_entries_run_id` (`run_id`),
  KEY `ix_usage_entries_at_ms` (`at_ms`)
);

CREATE TABLE `used_request_states` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  KEY `ix_used_request_states_expires_at_ms` (`expires_at_ms`)
);

CREATE TABLE `users` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `username` varchar(100) NOT NULL,
  `name` varchar(200) DEFAULT NULL,
  `email` varchar(254) DEFAULT NULL,
  `password_hash` varchar(300) DEFAULT NULL,
  `external_id` varchar(64) DEFAULT NULL,
  `enabled` tinyint(1) NOT NULL,
  `last_login_at_ms` bigint DEFAULT NULL,
  `sessions_from_ms` bigint NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_users_username` (`username`),
  UNIQUE KEY `uq_users_external_id` (`external_id`),
  KEY `ix_users_project_id_created_at_ms` (`project_id`,`created_at_ms`)
);

CREATE TABLE `vendor_objects` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `kind` varchar(16) NOT NULL,
  `status` varchar(16) NOT NULL,
  `purpose` varchar(64) NOT NULL,
  `model` varchar(300) DEFAULT NULL,
  `provider` varchar(100) DEFAULT NULL,
  `ref` varchar(1000) DEFAULT NULL,
  `key_print` varchar(64) DEFAULT NULL,
  `caller` json NOT NULL,
  `data` json NOT NULL,
  `error` json DEFAULT NULL,
  `total` bigint NOT NULL,
  `completed` bigint NOT NULL,
  `failed` bigint NOT NULL,
  `ready_at_ms` bigint NOT NULL,
  `attempt` bigint NOT NULL,
  `cancel_requested` tinyint(1) NOT NULL,
  `expires_at_ms` bigint DEFAULT NULL,
  `idempotency_key` varchar(220) DEFAULT NULL,
  `payload_hash` varchar(64) NOT NULL,
  `started_at_ms` bigint DEFAULT NULL,
  `finished_at_ms` bigint DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_vendor_objects_project_id_idempotency_key` (`project_id`,`idempotency_key`),
  KEY `ix_vendor_objects_status_kind_ready_at_ms` (`status`,`kind`,`ready_at_ms`),
  KEY `ix_vendor_objects_project_id_kind_created_at_ms` (`project_id`,`kind`,`created_at_ms`),
  KEY `ix_vendor_objects_project_id_kind_purpose_created_at_ms` (`project_id`,`kind`,`purpose`,`created_at_ms`),
  KEY `ix_vendor_objects_expires_at_ms` (`expires_at_ms`)
);

CREATE TABLE `web_sessions` (
  `id` varchar(64) NOT NULL,
  `version` bigint NOT NULL,
  `created_at_ms` bigint NOT NULL,
  `updated_at_ms` bigint NOT NULL,
  `project_id` varchar(64) NOT NULL,
  `user_id` varchar(64) NOT NULL,
  `digest` varchar(64) NOT NULL,
  `by` varchar(60) NOT NULL,
  `began_at_ms` bigint NOT NULL,
  `last_seen_at_ms` bigint NOT NULL,
  `expires_at_ms` bigint NOT NULL,
  `revoked_at_ms` bigint DEFAULT NULL,
  `address` varchar(64) DEFAULT NULL,
  `agent` varchar(200) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq_web_sessions_digest` (`digest`),
  KEY `ix_web_sessions_user_id` (`user_id`),
  KEY `ix_web_sessions_expires_at_ms` (`expires_at_ms`),
  CONSTRAINT `fk_web_sessions_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`)
);
