using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Identity;
using HeartGrains.Tests.Observability;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Tests.Audit;

/// <summary>The programs of the pages, taken from there and run against a <c>single</c> gateway.</summary>
public sealed class DocumentedProgramTests : IAsyncLifetime
{
    private const string Key = "the-operator-key-of-a-test";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-test-");
    private readonly int _port = FreePort();
    private GatewayServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>The credit system is killed and started again, and so is the gateway, while hearts come and go and a user is erased: every heart is one credit, and every heart taken back is one less.</summary>
    [Fact]
    public async Task CreditSystem_KilledAndTheGatewayRestarted_CreditsAreExact()
    {
        var program = Path.Combine(_folder.FullName, "credits.py");
        await File.WriteAllTextAsync(program, ProgramOf("integrations.md", "create table if not exists heart"), Cancellation);
        var random = new Random(7);
        var expected = new Dictionary<string, long>();
        for (var round = 0; round < 4; round++)
        {
            using var credits = StartPython(program, Path.Combine(_folder.FullName, "credits.db"));
            for (var i = 0; i < 40; i++)
            {
                var (target, user, gives) = ($"post_{random.Next(5)}", $"u{random.Next(8)}", random.Next(3) > 0);
                using var answer = gives ? await _server.Client.GiveAsync(target, user) : await _server.Client.WithdrawAsync(target, user);
                var change = gives ? answer.StatusCode == HttpStatusCode.Created ? 1 : 0 : (await answer.JsonAsync()).GetProperty("removed").GetBoolean() ? -1 : 0;
                expected[user] = expected.GetValueOrDefault(user) + change;
            }

            // What was read under the name is taken back by events that no longer tell it.
            if (round == 1)
            {
                await HeartSilo.UntilAsync(async () => await HeadAsync() == await CursorAsync());
                credits.Kill();
                await credits.WaitForExitAsync(Cancellation);
                (await CreditsAsync()).ShouldContainKeyAndValue("erased soon", 2);
                (await EraseAsync("erased soon")).ShouldBe(2);
            }

            if (round % 2 == 1)
            {
                await _server.DisposeAsync();
                await StartAsync();
            }

            if (round == 0)
                foreach (var target in (string[])["post_1", "post_2"]) (await _server.Client.GiveAsync(target, "erased soon")).StatusCode.ShouldBe(HttpStatusCode.Created);
            if (round == 3) await HeartSilo.UntilAsync(async () => await HeadAsync() == await CursorAsync());
            credits.Kill();
            await credits.WaitForExitAsync(Cancellation);
        }

        (await CreditsAsync()).Where(static user => user.Value != 0).OrderBy(static user => user.Key)
            .ShouldBe(expected.Where(static user => user.Value != 0).OrderBy(static user => user.Key));
    }

    [Fact]
    public async Task ChainByHand_LogAsItIsAndChanged_TellsTheHeadAndTheBlock()
    {
        var program = Path.Combine(_folder.FullName, "chain.py");
        await File.WriteAllTextAsync(program, ProgramOf("audit.md", "hgseal:1"), Cancellation);
        foreach (var user in (string[])["ann", "ben ❤️", "cid"]) await _server.Client.GiveAsync("post_1", user);
        await _server.Client.WithdrawAsync("post_1", "ann");
        await HeartSilo.UntilAsync(async () => (await EventsAsync("")).GetProperty("events").GetArrayLength() == 4);
        var file = Path.Combine(_folder.FullName, "hearts.db");

        var head = await VerifiedHeadAsync();
        (await RunPythonAsync(program, file)).ShouldBe($"head {head.GetProperty("number").GetInt64()} {head.GetProperty("hash").GetString()}\n");

        await ExecuteAsync(file, "drop trigger heart_event_keep_values; update heart_event set at_micros = 1 where version = 1");
        (await RunPythonAsync(program, file)).ShouldStartWith("block 1 is not as it was sealed\n");
    }

    private async Task StartAsync()
    {
        _server = new(
        [
            "--mode=single", $"--data={_folder.FullName}", $"--port={_port}", "--HeartGrains:Audit:SealPeriod=00:00:00.010", "--HeartGrains:Audit:WatchPeriod=00:00:00", .. TestKeys.Switches(Key),
        ]);
        await _server.InitializeAsync();
    }

    private static string ProgramOf(string page, string mark) =>
        DeployedFiles.Page(page).Split("```python\n").Skip(1).Select(static block => block[..block.IndexOf("```", StringComparison.Ordinal)]).Single(block => block.Contains(mark, StringComparison.Ordinal));

    private Process StartPython(params string[] arguments)
    {
        var start = new ProcessStartInfo("python3", arguments) { RedirectStandardOutput = true, UseShellExecute = false };
        start.Environment["HEARTS_URL"] = $"http://127.0.0.1:{_port}";
        start.Environment["HEARTS_KEY"] = Key;
        return Process.Start(start)!;
    }

    private async Task<string> RunPythonAsync(params string[] arguments)
    {
        using var process = StartPython(arguments);
        var output = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        process.ExitCode.ShouldBe(0);
        return output;
    }

    private async Task<JsonElement> EventsAsync(string query)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events?limit=1000" + query);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return await _server.Client.SendAsync(request, Cancellation).JsonAsync();
    }

    private async Task<int> EraseAsync(string user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/users?user_id=" + Uri.EscapeDataString(user));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return (await _server.Client.SendAsync(request, Cancellation).JsonAsync()).GetProperty("hearts").GetInt32();
    }

    private async Task<JsonElement> VerifiedHeadAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/admin/verify") { Content = new StringContent("""{"target_id":"post_1"}""", null, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return (await _server.Client.SendAsync(request, Cancellation).JsonAsync()).GetProperty("head");
    }

    // Where a reader of all hearts given so far ends, when all are sealed.
    private async Task<string> HeadAsync()
    {
        var versions = (await _server.Client.GetAsync("/api/v1/hearts/top?limit=100", Cancellation).JsonAsync()).GetProperty("targets").EnumerateArray().Sum(target => target.GetProperty("version").GetInt64());
        var page = await EventsAsync("");
        return page.GetProperty("events").EnumerateArray().Count(static told => told.GetProperty("type").GetString() is "given" or "withdrawn") >= versions ? page.GetProperty("next").GetString()! : "not yet";
    }

    private async Task<string?> CursorAsync()
    {
        try
        {
            return (await QueryAsync("select next, 0 from place")).Keys.SingleOrDefault();
        }
        catch (SqliteException)
        {
            // The program has not come so far.
            return null;
        }
    }

    private Task<Dictionary<string, long>> CreditsAsync() => QueryAsync("select user_id, credits from credit");

    private async Task<Dictionary<string, long>> QueryAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={_folder.FullName}/credits.db;Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var row = await command.ExecuteReaderAsync(Cancellation);
        var rows = new Dictionary<string, long>();
        while (await row.ReadAsync(Cancellation)) rows[row.GetString(0)] = row.GetInt64(1);
        return rows;
    }

    private static async Task ExecuteAsync(string file, string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
