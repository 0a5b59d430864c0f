using System.Net;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Hosting;

/// <summary>The published file, alone in a folder, with an empty environment, as a user without a home.</summary>
public sealed class OneFileTests(OneFile file, LocalRedis redis, LocalPostgres postgres)
{
    [Fact]
    public async Task Single_StartedTwice_KeepsItsHearts()
    {
        await using var machine = await BareMachine.CreateAsync(file);
        using var client = new HttpClient();
        var (first, url) = await machine.StartAsync([]);
        client.BaseAddress = url;
        (await client.GiveAsync("post_1", "ann").JsonAsync()).GetProperty("count").GetInt64().ShouldBe(1);
        (await client.GetStringAsync("/")).ShouldContain("<html");
        (await BareMachine.StopAsync(first)).ShouldBe(0);

        using var again = new HttpClient();
        (_, again.BaseAddress) = await machine.StartAsync([], "gateway", "--mode=single");

        (await again.ReadAsync("post_1").JsonAsync()).GetProperty("count").GetInt64().ShouldBe(1);
        machine.Files.ShouldBe(["data", "heart-server"]);
    }

    [Fact]
    public async Task SiloAndGateway_OverRedisAndPostgres_AreACluster()
    {
        await redis.StartAsync();
        var owner = await postgres.CreateDatabaseAsync();
        var environment = new Dictionary<string, string>
        {
            ["HEARTGRAINS__KEY"] = "the-key-of-a-published-cluster",
            ["HEARTGRAINS__CLUSTER__CLUSTERID"] = $"one-file-{Guid.NewGuid():N}",
            ["HEARTGRAINS__AUTH__ALLOWCLAIMEDUSER"] = "true",
            ["CONNECTIONSTRINGS__REDIS"] = redis.ConnectionString,
            ["CONNECTIONSTRINGS__POSTGRES"] = LocalPostgres.AsService(owner),
            ["CONNECTIONSTRINGS__POSTGRESOWNER"] = owner,
        };
        await using var machine = await BareMachine.CreateAsync(file);
        await machine.StartAsync(environment, "silo", $"--silo-port={BareMachine.FreePort()}", $"--client-port={BareMachine.FreePort()}");
        using var client = new HttpClient();
        (_, client.BaseAddress) = await machine.StartAsync(environment, "gateway", "--mode=cluster");

        // A gateway that just connected may answer its first calls with 503: nothing was stored, try again.
        var told = "";
        await LocalCluster.UntilAsync(
            async () =>
            {
                using var given = await client.GiveAsync("post_1", "ann");
                told = await given.Content.ReadAsStringAsync(Cancellation);
                given.StatusCode.ShouldBeOneOf(HttpStatusCode.Created, HttpStatusCode.ServiceUnavailable);
                return given.StatusCode == HttpStatusCode.Created;
            },
            TimeSpan.FromSeconds(20),
            "a heart was given");
        told.ShouldContain("\"count\":1");
        (await client.ReadAsync("post_1").JsonAsync()).GetProperty("count").GetInt64().ShouldBe(1);
        machine.Files.ShouldBe(["heart-server"]);
    }

    [Fact]
    public async Task Commands_Always_TellAndStartNothing()
    {
        await using var machine = await BareMachine.CreateAsync(file);

        var help = await machine.RunAsync("--help");
        var version = await machine.RunAsync("silo", "--version");
        var settings = await machine.RunAsync("config", "show", "--port=9000");
        var wrong = await machine.RunAsync("config", "show", "--prot=9000");

        (help.Code, help.Errors).ShouldBe((0, ""));
        help.Output.ShouldContain("heart-server [ROLE] [COMMAND]");
        (version.Code, version.Errors).ShouldBe((0, ""));
        version.Output.ShouldStartWith("HeartGrains 1.");
        (settings.Code, settings.Errors).ShouldBe((0, ""));
        settings.Output.Split('\n').ShouldContain("HeartGrains:Port = 9000  # command line");
        settings.Output.Split('\n').ShouldContain("HeartGrains:RateLimits:Policies:0:TokenLimit = 60  # built-in appsettings.json");
        wrong.ShouldBe((1, "", "heartgrains: There is no switch --prot; did you mean --port?\n"));
        machine.Files.ShouldBe(["heart-server"]);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;
}
