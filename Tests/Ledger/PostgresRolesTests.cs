using System.Globalization;
using HeartGrains.Ledger;
using HeartGrains.Ledger.Postgres;
using HeartGrains.Tests.Infrastructure;
using Npgsql;

namespace HeartGrains.Tests.Ledger;

/// <summary>One role that owns the tables and one that the program runs as. That everything works so is seen by the other tests over PostgreSQL.</summary>
public sealed class PostgresRolesTests(LocalPostgres postgres) : IAsyncLifetime
{
    private const string Key = "key";

    private string _owner = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Service => LocalPostgres.AsService(_owner);

    public async ValueTask InitializeAsync() => _owner = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task ServiceRole_WhateverWouldChangeTheLog_IsRefused()
    {
        await StartAsync(Service, _owner);
        await using (var ledger = new PostgresLedger(Service, new LedgerOptions()))
            (await ledger.AppendAsync(new Story("post_1").GiveMany("ann"))).ShouldBe(AppendOutcome.Committed);

        foreach (var statement in (string[])[
            "delete from heart_event", "truncate heart_event", "drop table heart_event", "update heart_event set at_micros = 1", "update heart_event set kind = 2 where user_id = 'ann'",
            "alter table heart_event disable trigger heart_event_keep_rows", "alter table heart_event add column more text", "alter table heart_event owner to current_user",
            "drop trigger heart_event_keep_rows on heart_event", "create trigger other before insert on heart_event for each row execute function heart_event_keep()",
            "create or replace function heart_event_keep() returns trigger language plpgsql as 'begin return old; end'", "drop function heart_event_keep() cascade", "set session_replication_role = replica",
            "create or replace function heart_xid() returns xid8 language sql as 'select null::xid8'", "create rule other as on insert to heart_event do instead nothing",
            "delete from heart_seal", "update heart_seal set events = 1", "truncate heart_seal", "alter table heart_seal disable trigger all", "drop trigger heart_seal_keep_rows on heart_seal",
            "insert into heart_migration (number, name) values (999, 'x')", "update orleansquery set querytext = ''", "drop schema public cascade"])
        {
            var refused = await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(Service, statement), statement);
            refused.SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, statement);
            refused.MessageText.ShouldNotContain("append-only", Case.Insensitive, statement);
        }

        // What is left of it is the trigger's.
        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(Service, "update heart_event set user_id = 'zoe'"))).MessageText.ShouldContain("append-only");
        await ExecuteAsync(Service, "update heart_event set user_id = 'erased:1', network = null");
        (await ExecuteAsync(_owner, "select count(*) from heart_event")).ShouldBe(1L);
    }

    /// <summary>A table that comes with a migration is among the grants.</summary>
    [Fact]
    public async Task ServiceRole_EveryTable_IsReadable()
    {
        await StartAsync(Service, _owner);

        (await ExecuteAsync(_owner, "select string_agg(relname, ', ') from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and not has_table_privilege('heartgrains-service', oid, 'select')"))
            .ShouldBe(DBNull.Value);
        (await ExecuteAsync(_owner, "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'")).ShouldBeOfType<long>().ShouldBeGreaterThan(15);
    }

    [Fact]
    public async Task InitializeAsync_WithoutTheOwner_StartsWhereNothingIsToMigrate()
    {
        (await Should.ThrowAsync<LedgerException>(() => StartAsync(Service, null))).Message.ShouldMatch(@"permission denied for \w+ \w+\. Its address is [^.]+\. Where .* ConnectionStrings:PostgresOwner\.$");

        await StartAsync(Service, _owner);
        await StartAsync(Service, null);

        await ExecuteAsync(_owner, "delete from heart_migration where number = (select max(number) from heart_migration)");
        (await Should.ThrowAsync<LedgerException>(() => StartAsync(Service, null))).Message.ShouldContain("ConnectionStrings:PostgresOwner");
    }

    [Theory]
    [InlineData("grant delete on heart_event to \"heartgrains-service\"")]
    [InlineData("grant update on heart_seal to \"heartgrains-service\"")]
    [InlineData("grant update (actor, at_micros) on heart_event to \"heartgrains-service\"")]
    [InlineData("grant update (events) on heart_seal to public")]
    [InlineData("grant trigger on heart_event to public")]
    [InlineData("alter table heart_event owner to \"heartgrains-service\"")]
    [InlineData("alter schema public owner to \"heartgrains-service\"")]
    public async Task InitializeAsync_ServiceRoleThatCouldChangeTheLog_IsRefused(string given)
    {
        await StartAsync(Service, _owner);
        await ExecuteAsync(_owner, given);

        (await Should.ThrowAsync<LedgerException>(() => StartAsync(Service, _owner))).Message.ShouldStartWith("The role 'heartgrains-service' of ConnectionStrings:Postgres could change the log");
    }

    /// <summary>Attributes of roles, which hold in every database.</summary>
    [Theory]
    [InlineData("create role {0} login createrole")]
    [InlineData("create role {0} login; create role {0}_other createrole; grant {0}_other to {0}")]
    [InlineData("create role {0} login; create role {0}_other superuser; grant {0}_other to {0}")]
    [InlineData("create role {0} login; grant set on parameter session_replication_role to {0}")]
    public async Task InitializeAsync_RoleThatCouldMakeItselfMore_IsRefused(string made)
    {
        var service = new NpgsqlConnectionStringBuilder(_owner);
        var role = service.Username = $"more_of_{service.Database}";
        await ExecuteAsync(_owner, string.Format(CultureInfo.InvariantCulture, made, role));

        var refusal = await Should.ThrowAsync<LedgerException>(() => StartAsync(service.ConnectionString, _owner));
        refusal.Message.ShouldStartWith($"The role '{role}' of ConnectionStrings:Postgres could change the log");
    }

    [Fact]
    public async Task InitializeAsync_OwnerInBothPlaces_IsRefused() =>
        (await Should.ThrowAsync<LedgerException>(() => StartAsync(_owner, _owner))).Message.ShouldContain("The role 'heartgrains' of");

    private static async Task StartAsync(string service, string? owner)
    {
        await using var ledger = new PostgresLedger(service, new LedgerOptions(), owner);
        await ledger.InitializeAsync(Key, Cancellation);
    }

    private static async Task<object?> ExecuteAsync(string connection, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connection + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
