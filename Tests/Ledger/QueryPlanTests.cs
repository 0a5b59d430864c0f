using System.Text.RegularExpressions;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Postgres;
using HeartGrains.Ledger.Sqlite;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace HeartGrains.Tests.Ledger;

/// <summary>Statements that would go through the whole log without their index.</summary>
public sealed class QueryPlanTests(LocalPostgres server)
{
    private const string Held = "select target, version, heart from heart_quarantine_heart where id = @id";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sqlite_DecisionsHeldHeartsAndOperations_AreFoundByTheirIndexes()
    {
        var folder = Directory.CreateTempSubdirectory("heartgrains-test-");
        using (var ledger = new SqliteLedger(folder.FullName, new LedgerOptions(), NullLogger<SqliteLedger>.Instance))
        {
            await ledger.InitializeAsync("key", Cancellation);
            await using var connection = ledger.Open(1);

            Plan(SqliteWriter.DecideSql).ShouldContain("USING COVERING INDEX heart_event_decision (writer=?)");
            Plan(SqliteWriter.FindDecisionSql).ShouldContain("USING INDEX heart_event_decision (writer=?)");
            Plan(SqliteUsers.FindUserSql).ShouldContain("USING INDEX heart_event_decision_heart (heart=?)");
            Plan(SqliteAudit.FindDecisionsSql).ShouldContain("USING INDEX heart_event_decision_job (job=?)");
            Plan(ModerationSql.RuleOrdersSql).ShouldContain("SEARCH d USING INDEX heart_event_about (about=?)");
            Plan(ModerationSql.BlockOrdersSql).ShouldContain("SEARCH d USING INDEX heart_event_decision_heart (heart=?)");
            Plan(JobSql.ListOpenSql).ShouldContain("INDEX heart_job_running (id>?)");
            Plan(JobSql.PruneSql).ShouldContain("INDEX heart_job_finished (finished_micros<?)");
            var held = Plan(new SqliteLedger.Sql(connection, null, null, Cancellation).HeldSql(Held));
            held.ShouldContain("SEARCH e USING INDEX heart_event_key (target=? AND version>?)");
            held.ShouldContain("SEARCH e USING INDEX heart_event_user (user_id=? AND rowid>?)");
            held.ShouldNotContain("SCAN e");

            string Plan(string sql)
            {
                using var command = connection.CreateCommand();
                command.CommandText = "explain query plan " + sql;
                foreach (var name in NamesIn(sql)) command.Parameters.AddWithValue(name, 1);
                using var row = command.ExecuteReader();
                var steps = new List<string>();
                while (row.Read()) steps.Add(row.GetString(3));
                return string.Join('\n', steps);
            }
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Postgres_DecisionsHeldHeartsAndOperations_AreFoundByTheirIndexes()
    {
        var database = await server.CreateDatabaseAsync();
        await using (var ledger = new PostgresLedger(database, new LedgerOptions())) await ledger.InitializeAsync("key", Cancellation);
        await using var source = NpgsqlDataSource.Create(PostgresConnection.Build(database, new LedgerOptions()));

        // So many that the planner does not take them for a page or two.
        await RunAsync(
            """
            insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id, job, detail)
            select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), n, n, n, 3, 'u' || n, case n when 1 then '' end, 'j' || n, '{}' from generate_series(1, 5000) n;
            insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id)
            select '00000000-0000-0000-0000-000000000001', gen_random_uuid(), n, n, n, 1, 'u' || n, case n when 1 then 't' end from generate_series(1, 5000) n;
            insert into heart_quarantine_heart select 'q', target, version, heart from heart_event where kind = 1 and version <= 200;
            insert into heart_job (id, kind, subject, state, step, actor, started_micros, finished_micros, progress)
            select 'j' || n, 'erase-user', 's' || n, 0, 0, 'a', n, case when n > 100 then n end, '{}' from generate_series(1, 5000) n;
            analyze;
            """);

        (await PlanAsync(PostgresLedger.DecideSql, 1L, Guid.Empty, 1L, "", "", "", 1L, "", Guid.Empty, "")).ShouldContain("heart_event_decision on");
        (await PlanAsync(PostgresLedger.FindDecisionSql, 1L)).ShouldContain("heart_event_decision on");
        (await PlanAsync(PostgresLedger.FindUserSql, Guid.NewGuid())).ShouldContain("heart_event_decision_heart");
        (await PlanAsync(PostgresLedger.FindDecisionsSql, "j1")).ShouldContain("heart_event_decision_job");
        (await PlanAsync(ModerationSql.RuleOrdersSql.Replace("@target", "$1"), Guid.NewGuid())).ShouldContain("heart_event_about");
        (await PlanAsync(ModerationSql.BlockOrdersSql.Replace("@user", "$1"), Guid.NewGuid())).ShouldContain("heart_event_decision_heart");
        (await PlanAsync(JobSql.ListOpenSql.Replace("@after", "$1").Replace("@limit", "$2"), "j", 10)).ShouldContain("heart_job_running");
        (await PlanAsync(JobSql.PruneSql.Replace("@before", "$1").Replace("@limit", "$2"), 10L, 10)).ShouldContain("heart_job_finished");
        var held = await PlanAsync(new PostgresLedger.Sql(null!, null!, Cancellation).HeldSql(Held).Replace("@id", "$1"), "q");
        held.ShouldContain("heart_event_user on heart_event e");
        held.ShouldContain("Index Cond: ((target = heart_quarantine_heart.target) AND (version >= heart_quarantine_heart.version))");
        held.ShouldNotContain("Seq Scan on heart_event");

        async Task<string> PlanAsync(string sql, params object[] values)
        {
            await using var command = source.CreateCommand("explain " + sql);
            foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
            await using var row = await command.ExecuteReaderAsync(Cancellation);
            var steps = new List<string>();
            while (await row.ReadAsync(Cancellation)) steps.Add(row.GetString(0));
            return string.Join('\n', steps);
        }

        async Task RunAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }

    private static IEnumerable<string> NamesIn(string sql) =>
        Regex.Matches(sql, "[@$][a-z]+", RegexOptions.NonBacktracking).Select(match => match.Value).Distinct();
}
