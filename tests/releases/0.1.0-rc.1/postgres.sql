CREATE TABLE public.__diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE public.email_undos (
    key text NOT NULL,
    user_id text NOT NULL,
    old_email text NOT NULL,
    created_at timestamp without time zone NOT NULL,
    expires_at timestamp without time zone NOT NULL
);
CREATE TABLE public.imported_tasks (
    user_id text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL
);
CREATE TABLE public.imported_users (
    id text NOT NULL
);
CREATE TABLE public.outbox (
    id text NOT NULL,
    kind text NOT NULL,
    recipient text NOT NULL,
    user_id text,
    language text,
    new_email text,
    network text,
    created_at timestamp without time zone NOT NULL,
    expires_at timestamp without time zone NOT NULL,
    next_attempt_at timestamp without time zone,
    attempts integer NOT NULL,
    leased_until timestamp without time zone,
    wrong_codes integer NOT NULL,
    callback_url text
);
CREATE TABLE public.revocation_sequence (
    id bigint NOT NULL,
    last bigint NOT NULL,
    generation bigint DEFAULT 0 NOT NULL,
    issued_before timestamp without time zone
);
CREATE TABLE public.revocations (
    sequence bigint NOT NULL,
    session_id text NOT NULL,
    forget_after timestamp without time zone NOT NULL,
    user_id text,
    claims_version bigint
);
CREATE TABLE public.sessions (
    id text NOT NULL,
    user_id text NOT NULL,
    counter bigint NOT NULL,
    rotated_at timestamp without time zone,
    late_recoveries integer NOT NULL,
    late_recovery_counter bigint,
    created_at timestamp without time zone NOT NULL,
    last_used_at timestamp without time zone NOT NULL,
    expires_at timestamp without time zone NOT NULL,
    revoked_at timestamp without time zone,
    ip_address text,
    user_agent text
);
CREATE TABLE public.tasks (
    id bigint NOT NULL,
    user_id text NOT NULL,
    title text NOT NULL,
    description text,
    completed boolean NOT NULL,
    created_at timestamp without time zone NOT NULL,
    updated_at timestamp without time zone NOT NULL
);
ALTER TABLE ONLY public.tasks ALTER COLUMN user_id SET (n_distinct=-0.05);
ALTER TABLE public.tasks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tasks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.users (
    id text NOT NULL,
    email text NOT NULL,
    name text,
    image text,
    email_verified boolean NOT NULL,
    password_hash text,
    created_at timestamp without time zone NOT NULL,
    updated_at timestamp without time zone NOT NULL,
    mail_key text,
    language text,
    roles text,
    custom_claims text,
    claims_version bigint DEFAULT 0 NOT NULL
);
INSERT INTO public.__diesel_schema_migrations (version, run_on) VALUES ('20261120000000', '2026-11-22 09:00:45.790793');
INSERT INTO public.__diesel_schema_migrations (version, run_on) VALUES ('20261120000001', '2026-11-22 09:00:45.790793');
INSERT INTO public.__diesel_schema_migrations (version, run_on) VALUES ('20261120000010', '2026-11-22 09:00:45.790793');
INSERT INTO public.__diesel_schema_migrations (version, run_on) VALUES ('20261120000011', '2026-11-22 09:00:45.790793');
INSERT INTO public.__diesel_schema_migrations (version, run_on) VALUES ('20261121000030', '2026-11-22 09:00:45.790793');
INSERT INTO public.__diesel_schema_migrations (version, run_on) VALUES ('20261121000040', '2026-11-22 09:00:45.790793');
INSERT INTO public.__diesel_schema_migrations (version, run_on) VALUES ('20261122000041', '2026-11-22 09:00:45.790793');
INSERT INTO public.__diesel_schema_migrations (version, run_on) VALUES ('20261122000050', '2026-11-22 09:00:45.790793');
INSERT INTO public.__diesel_schema_migrations (version, run_on) VALUES ('20261122000060', '2026-11-22 09:00:45.790793');
INSERT INTO public.email_undos (key, user_id, old_email, created_at, expires_at) VALUES ('wDRJcLAWX1EbhxJlDts0jYqJPhFqAwuS-Lbd0osq7XI', '01a2027c-8c8e-761a-9443-a6cc965a8580', 'grace@example.com', '2026-11-22 09:00:50.133574', '2026-11-25 09:00:50.133574');
INSERT INTO public.imported_tasks (user_id, source, source_id) VALUES ('barbara', 'task', '7');
INSERT INTO public.imported_users (id) VALUES ('barbara');
INSERT INTO public.outbox (id, kind, recipient, user_id, language, new_email, network, created_at, expires_at, next_attempt_at, attempts, leased_until, wrong_codes, callback_url) VALUES ('01a2027c-97fa-76c8-a1f0-6f13503c3a67', 'email_verification', 'ada@example.com', '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', NULL, NULL, NULL, '2026-11-22 09:00:49.530437', '2026-11-23 09:00:49.530437', NULL, 1, NULL, 0, NULL);
INSERT INTO public.outbox (id, kind, recipient, user_id, language, new_email, network, created_at, expires_at, next_attempt_at, attempts, leased_until, wrong_codes, callback_url) VALUES ('01a2027c-98fc-70bf-a4d8-9842cb236e8e', 'password_reset', 'alan@example.com', '01a2027c-8d6d-72ec-b8bb-5abb9e9ffc7e', NULL, NULL, NULL, '2026-11-22 09:00:49.788527', '2026-11-22 10:00:49.788527', NULL, 1, NULL, 0, NULL);
INSERT INTO public.outbox (id, kind, recipient, user_id, language, new_email, network, created_at, expires_at, next_attempt_at, attempts, leased_until, wrong_codes, callback_url) VALUES ('01a2027c-997b-7054-b9bd-6f46904fe04b', 'email_change', 'hopper@example.com', '01a2027c-8c8e-761a-9443-a6cc965a8580', NULL, 'hopper@example.com', NULL, '2026-11-22 09:00:49.915979', '2026-11-22 10:00:49.915979', NULL, 1, NULL, 0, NULL);
INSERT INTO public.outbox (id, kind, recipient, user_id, language, new_email, network, created_at, expires_at, next_attempt_at, attempts, leased_until, wrong_codes, callback_url) VALUES ('01a2027c-997b-76ba-985e-e2188672c623', 'email_change_requested', 'grace@example.com', '01a2027c-8c8e-761a-9443-a6cc965a8580', NULL, NULL, NULL, '2026-11-22 09:00:49.915979', '2026-11-24 09:00:49.915979', NULL, 1, NULL, 0, NULL);
INSERT INTO public.outbox (id, kind, recipient, user_id, language, new_email, network, created_at, expires_at, next_attempt_at, attempts, leased_until, wrong_codes, callback_url) VALUES ('01a2027c-9a55-7081-867e-c43e90ca5e4a', 'email_changed', 'grace@example.com', '01a2027c-8c8e-761a-9443-a6cc965a8580', NULL, NULL, NULL, '2026-11-22 09:00:50.133574', '2026-11-25 09:00:50.133574', NULL, 1, NULL, 0, NULL);
INSERT INTO public.outbox (id, kind, recipient, user_id, language, new_email, network, created_at, expires_at, next_attempt_at, attempts, leased_until, wrong_codes, callback_url) VALUES ('01a2027c-a053-71e6-80f8-ec20216cb207', 'password_reset', 'barbara@example.com', 'barbara', NULL, NULL, NULL, '2026-11-22 09:00:51.667552', '2026-11-22 10:00:51.667552', '2026-11-22 09:01:51.885343', 1, NULL, 0, NULL);
INSERT INTO public.revocation_sequence (id, last, generation, issued_before) VALUES (1, 5, 0, NULL);
INSERT INTO public.revocations (sequence, session_id, forget_after, user_id, claims_version) VALUES (1, '', '2026-11-22 09:25:48.934415', '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 1);
INSERT INTO public.revocations (sequence, session_id, forget_after, user_id, claims_version) VALUES (2, '', '2026-11-22 09:25:49.390934', '01a2027c-8c8e-761a-9443-a6cc965a8580', 1);
INSERT INTO public.revocations (sequence, session_id, forget_after, user_id, claims_version) VALUES (3, '', '2026-11-22 09:25:49.720393', '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 2);
INSERT INTO public.revocations (sequence, session_id, forget_after, user_id, claims_version) VALUES (4, '', '2026-11-22 09:25:50.133574', '01a2027c-8c8e-761a-9443-a6cc965a8580', 2);
INSERT INTO public.revocations (sequence, session_id, forget_after, user_id, claims_version) VALUES (5, '01a2027c-9c24-7419-8f30-3a6427abafaa', '2026-11-22 09:25:50.659604', NULL, NULL);
INSERT INTO public.sessions (id, user_id, counter, rotated_at, late_recoveries, late_recovery_counter, created_at, last_used_at, expires_at, revoked_at, ip_address, user_agent) VALUES ('01a2027c-8b9a-776f-b435-f4fabe7dbfbb', '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 0, NULL, 0, NULL, '2026-11-22 09:00:46.36241', '2026-11-22 09:00:46.36241', '2026-11-29 09:00:46.36241', NULL, '127.0.0.1', NULL);
INSERT INTO public.sessions (id, user_id, counter, rotated_at, late_recoveries, late_recovery_counter, created_at, last_used_at, expires_at, revoked_at, ip_address, user_agent) VALUES ('01a2027c-8c8e-7069-9133-8edd72c71cc5', '01a2027c-8c8e-761a-9443-a6cc965a8580', 0, NULL, 0, NULL, '2026-11-22 09:00:46.606043', '2026-11-22 09:00:46.606043', '2026-11-29 09:00:46.606043', NULL, '127.0.0.1', NULL);
INSERT INTO public.sessions (id, user_id, counter, rotated_at, late_recoveries, late_recovery_counter, created_at, last_used_at, expires_at, revoked_at, ip_address, user_agent) VALUES ('01a2027c-8d6d-761a-abee-9cf65ec7d74a', '01a2027c-8d6d-72ec-b8bb-5abb9e9ffc7e', 0, NULL, 0, NULL, '2026-11-22 09:00:46.829249', '2026-11-22 09:00:46.829249', '2026-11-29 09:00:46.829249', NULL, '127.0.0.1', NULL);
INSERT INTO public.sessions (id, user_id, counter, rotated_at, late_recoveries, late_recovery_counter, created_at, last_used_at, expires_at, revoked_at, ip_address, user_agent) VALUES ('01a2027c-9919-7292-8d9e-6be3f75e362f', '01a2027c-8c8e-761a-9443-a6cc965a8580', 0, NULL, 0, NULL, '2026-11-22 09:00:49.817611', '2026-11-22 09:00:49.817611', '2026-11-29 09:00:49.817611', NULL, '127.0.0.1', NULL);
INSERT INTO public.sessions (id, user_id, counter, rotated_at, late_recoveries, late_recovery_counter, created_at, last_used_at, expires_at, revoked_at, ip_address, user_agent) VALUES ('01a2027c-9b39-769f-87a8-bb0abf3be70e', '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 0, NULL, 0, NULL, '2026-11-22 09:00:50.361255', '2026-11-22 09:00:50.361255', '2026-11-29 09:00:50.361255', NULL, '127.0.0.1', NULL);
INSERT INTO public.sessions (id, user_id, counter, rotated_at, late_recoveries, late_recovery_counter, created_at, last_used_at, expires_at, revoked_at, ip_address, user_agent) VALUES ('01a2027c-9be1-7381-ab87-1df9e1eecae3', '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 2, '2026-11-22 09:00:50.565765', 0, NULL, '2026-11-22 09:00:50.52964', '2026-11-22 09:00:50.565765', '2026-11-29 09:00:50.565765', NULL, '127.0.0.1', NULL);
INSERT INTO public.sessions (id, user_id, counter, rotated_at, late_recoveries, late_recovery_counter, created_at, last_used_at, expires_at, revoked_at, ip_address, user_agent) VALUES ('01a2027c-9c38-74db-9192-0b79892516e3', '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 2, '2026-11-22 09:00:50.654465', 0, NULL, '2026-11-22 09:00:50.616306', '2026-11-22 09:00:50.654465', '2026-11-29 09:00:50.654465', NULL, '127.0.0.1', NULL);
INSERT INTO public.sessions (id, user_id, counter, rotated_at, late_recoveries, late_recovery_counter, created_at, last_used_at, expires_at, revoked_at, ip_address, user_agent) VALUES ('01a2027c-9c24-7419-8f30-3a6427abafaa', '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 0, NULL, 0, NULL, '2026-11-22 09:00:50.596327', '2026-11-22 09:00:50.596327', '2026-11-29 09:00:50.596327', '2026-11-22 09:00:50.659604', '127.0.0.1', NULL);
INSERT INTO public.tasks (id, user_id, title, description, completed, created_at, updated_at) OVERRIDING SYSTEM VALUE VALUES (1, 'barbara', 'An imported task', NULL, false, '2026-01-01 12:00:00', '2026-01-01 12:00:00');
INSERT INTO public.tasks (id, user_id, title, description, completed, created_at, updated_at) OVERRIDING SYSTEM VALUE VALUES (2, '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 'A task', 'The description', false, '2026-11-22 09:00:50.437645', '2026-11-22 09:00:50.437645');
INSERT INTO public.tasks (id, user_id, title, description, completed, created_at, updated_at) OVERRIDING SYSTEM VALUE VALUES (3, '01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 'A completed task with an ä', 'The description', true, '2026-11-22 09:00:50.46517', '2026-11-22 09:00:50.471864');
INSERT INTO public.users (id, email, name, image, email_verified, password_hash, created_at, updated_at, mail_key, language, roles, custom_claims, claims_version) VALUES ('01a2027c-8d6d-72ec-b8bb-5abb9e9ffc7e', 'alan@example.com', 'Alan', NULL, false, '$2b$04$Gk9BPTlT1r8DcjarpCsXxeaqgTu0JnGF6dATnTNi3dQx98Kg8KjKS', '2026-11-22 09:00:46.829249', '2026-11-22 09:00:46.829249', 'rymwUlncq8-H9nmTg8gAslggcufvhFdjPa1uWr4OJkg', NULL, NULL, NULL, 0);
INSERT INTO public.users (id, email, name, image, email_verified, password_hash, created_at, updated_at, mail_key, language, roles, custom_claims, claims_version) VALUES ('01a2027c-8c8e-761a-9443-a6cc965a8580', 'hopper@example.com', 'Grace', NULL, true, '$2b$04$gGv5nlhvBQEsAcup7TZ6O.NRVPz3BCPsK4ydBlGD24SIAWJgGGGN2', '2026-11-22 09:00:46.606043', '2026-11-22 09:00:50.133574', 'hF4p2ZHE-3hP7v9mJyhEJNIIqnLuH5EAShZB7n4qfcM', NULL, NULL, '{"plan":"pro"}', 2);
INSERT INTO public.users (id, email, name, image, email_verified, password_hash, created_at, updated_at, mail_key, language, roles, custom_claims, claims_version) VALUES ('01a2027c-8b9a-7557-9e4b-2ce33e98f2e6', 'ada@example.com', 'Ada', NULL, true, '$2b$04$wk/WITrLcei9nSIC3TGE/euMoJuKxxOTWC2.DCeZxc0PMB8C9PdRe', '2026-11-22 09:00:46.36241', '2026-11-22 09:00:49.720393', 'aq6JAiG_y48osZ1tLZbqJ08kG-_ES5hS-48FTMZOwRE', NULL, 'admin editor', NULL, 2);
INSERT INTO public.users (id, email, name, image, email_verified, password_hash, created_at, updated_at, mail_key, language, roles, custom_claims, claims_version) VALUES ('barbara', 'barbara@example.com', 'Barbara', NULL, false, '00112233445566778899aabbccddeeff:f5b22309b28fe412c82a4b2cab57498b8f8a42c849af16cb908974048f61c13933421858db3a8f111430bdc493c7cef90f61f904061c77206e3820a2e8b11bc2', '2026-01-01 12:00:00', '2026-01-01 12:00:00', '1-MmuvvmtWSMJ3ij6xa3wmOdrOfJvAOPhJqEa5EGPaM', NULL, NULL, NULL, 0);
SELECT pg_catalog.setval('public.tasks_id_seq', 4, true);
ALTER TABLE ONLY public.__diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.email_undos
    ADD CONSTRAINT email_undos_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.imported_tasks
    ADD CONSTRAINT imported_tasks_pkey PRIMARY KEY (user_id, source, source_id);
ALTER TABLE ONLY public.imported_users
    ADD CONSTRAINT imported_users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.revocation_sequence
    ADD CONSTRAINT revocation_sequence_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT tasks_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX email_undos_expires_at ON public.email_undos USING btree (expires_at);
CREATE INDEX email_undos_old_email ON public.email_undos USING btree (old_email);
CREATE INDEX email_undos_user_id ON public.email_undos USING btree (user_id);
CREATE INDEX outbox_created_at ON public.outbox USING btree (created_at);
CREATE INDEX outbox_network_created_at ON public.outbox USING btree (network, created_at);
CREATE INDEX outbox_next_attempt_at ON public.outbox USING btree (next_attempt_at);
CREATE INDEX outbox_recipient_created_at ON public.outbox USING btree (recipient, created_at);
CREATE INDEX outbox_user_id ON public.outbox USING btree (user_id);
CREATE INDEX revocations_forget_after ON public.revocations USING btree (forget_after);
CREATE INDEX sessions_expires_at ON public.sessions USING btree (expires_at);
CREATE INDEX sessions_user_id_revoked_at ON public.sessions USING btree (user_id, revoked_at);
CREATE INDEX tasks_user_id_id ON public.tasks USING btree (user_id, id);
ALTER TABLE ONLY public.email_undos
    ADD CONSTRAINT email_undos_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.imported_tasks
    ADD CONSTRAINT imported_tasks_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT tasks_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
