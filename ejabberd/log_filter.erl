%% Erlang expressions, evaluated before ejabberd starts (see entrypoint.sh).
%%
%% When a connection to PostgreSQL breaks, OTP logs the state of the process that held it: the password of the database
%% among it, and the statement that was under way. Such reports keep their reason and lose what the process knew.
ok = logger:add_primary_filter(redact, {
  fun (#{msg := {report, #{label := {gen_server, terminate}} = Report}} = Event, _) ->
        Event#{msg := {report, Report#{state := redacted, last_message := redacted, log := []}}};
      %% ejabberd says once a second that it cannot connect: these reports say it again, in forty lines each.
      (#{msg := {report, #{label := {proc_lib, crash}, report := [[{initial_call, {pgsql_proto, _, _}} | _] | _]}}}, _) ->
        stop;
      (_, _) ->
        ignore
  end, []}).
