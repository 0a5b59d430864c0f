using System.Collections;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text.Json;
using HeartGrains.Gateway;
using HeartGrains.Hosting;
using HeartGrains.Silo;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Hosting;

public sealed class ConfigShowTests : IDisposable
{
    private const string Marker = "marker-of-a-secret-0123456789-abcdefghijklmnop";

    private static readonly Role Gateway = new("gateway", "of a test", DefaultPort: 8080, GatewayHosting.Features, BuildGateway);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("heartgrains-config-");

    public static TheoryData<string> Roles => ["gateway", "silo"];

    /// <summary>Every property of every options class, found here without the code that shows them.</summary>
    [Theory]
    [MemberData(nameof(Roles))]
    public async Task Show_EveryPropertyOfEveryOptionsClass_IsShown(string role)
    {
        var keys = KeysOf(typeof(HostSettings), HostSettings.Section)
            .Concat(Named(role).Features.Where(feature => IsOurs(feature.Value)).SelectMany(feature => KeysOf(feature.Value, $"{HostSettings.Section}:{feature.Key}"))).ToArray();

        var shown = (await ShowAsync(role)).Select(setting => setting.Key).ToHashSet();

        keys.Length.ShouldBeGreaterThan(50);
        keys.Where(key => !shown.Contains(key)).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task Show_SecretsAreConfigured_NoneIsShown(string role)
    {
        string[] names = ["Key", "Secret", "PreviousSecret", "OperatorKey", "Hash", "Password"];
        var secrets = KeysOf(typeof(HostSettings), HostSettings.Section)
            .Concat(GatewayHosting.Features.Where(feature => IsOurs(feature.Value)).SelectMany(feature => KeysOf(feature.Value, $"{HostSettings.Section}:{feature.Key}")))
            .Where(key => names.Any(name => key.EndsWith(":" + name, StringComparison.Ordinal))).ToArray();
        secrets.Length.ShouldBeGreaterThan(2);

        var settings = await ShowAsync(role, [.. secrets.Where(static key => !key.Contains(":0", StringComparison.Ordinal)).Select(key => $"--{key}={Marker}"),
            $"--redis=127.0.0.1:1,password={Marker}", $"--postgres=Host=127.0.0.1;Password={Marker}", $"--Kestrel:Certificates:Default:Password={Marker}"]);

        settings.Single(setting => setting.Key == "HeartGrains:Key").ShouldBe(new Setting("HeartGrains:Key", Secrets.Mask, "command line"));
        JsonSerializer.Serialize(settings).ShouldNotContain(Marker);
    }

    [Fact]
    public async Task Show_EachSource_IsNamed()
    {
        var file = Path.Combine(_folder.FullName, "mine.json");
        await File.WriteAllTextAsync(file, """{"HeartGrains":{"Hearts":{"DedupeLimit":17},"Live":{"MaxTargets":18},"Sites":["https://a.example.com","https://b.example.com"]}}""", Cancellation);

        var settings = await ShowAsync("gateway", $"--settings={file}", "--HeartGrains:Live:MaxTargets=19");

        Of(settings, "HeartGrains:Hearts:DedupeLimit").ShouldBe(("17", $"settings file {file}"));
        Of(settings, "HeartGrains:Live:MaxTargets").ShouldBe(("19", "command line"));
        Of(settings, "HeartGrains:Port").ShouldBe(("8080", "default"));
        Of(settings, "HeartGrains:Sites:1").ShouldBe(("https://b.example.com", $"settings file {file}"));
        Of(settings, "HeartGrains:TrustedProxies").ShouldBe((null, "default"));
        Of(settings, "HeartGrains:RateLimits:Policies:0:TokenLimit").ShouldBe(("60", "appsettings.json"));
        Of(settings, "HeartGrains:Resilience:QuotaOutageTimeout").ShouldBe(("00:00:00.045", "default"));
    }

    /// <summary>What is worked out from other settings is shown as it works: no delay in <c>single</c>, a break that grew with another, a silo's mode.</summary>
    [Fact]
    public async Task Show_ValueThatFollowsFromOthers_IsTheOneInForce()
    {
        var gateway = await ShowAsync("gateway", "--HeartGrains:Breakers:Ledger:BreakDuration=00:00:15");
        Of(gateway, "HeartGrains:Ledger:CommitDelay").Value.ShouldBe("00:00:00");
        Of(gateway, "HeartGrains:Breakers:Ledger:MaxBreakDuration").Value.ShouldBe("00:00:15");
        Of(gateway, "HeartGrains:Dashboard").Value.ShouldBe("true");

        var silo = await ShowAsync("silo", "--mode=single");
        Of(silo, "HeartGrains:Mode").ShouldBe(("cluster", "the role, over 'single' of command line"));
        Of(silo, "HeartGrains:Ledger:CommitDelay").Value.ShouldBe("00:00:00.001");
    }

    [Fact]
    public async Task Show_AddressThatTheRoleChanged_HidesWhatWasConfiguredToo()
    {
        var role = Gateway with
        {
            Features = new Dictionary<string, Type>(Gateway.Features) { ["Peer"] = typeof(PeerOptions) },
            Build = static builder =>
            {
                builder.Services.AddOptions<PeerOptions>().BindConfiguration("HeartGrains:Peer").PostConfigure(static peer => peer.Address = "http://another/");
                return BuildGateway(builder);
            },
        };

        var settings = await ConfigShow.ReadAsync(role, ["--HeartGrains:Peer:Address=http://me:abc@peer/"]);

        Of(settings, "HeartGrains:Peer:Address").ShouldBe(("http://another/", "the role, over 'http://me:******@peer/' of command line"));
    }

    [Fact]
    public async Task Show_Always_IsOneLineEachInOrderAndStartsNothing()
    {
        var args = new[] { $"--data={_folder.FullName}/data", "--HeartGrains:OpenHeart:Emojis=❤️ 👍" };
        var (lines, again) = (await PrintAsync(args), await PrintAsync(args));

        lines.ShouldBe(again);
        lines.ShouldContain("HeartGrains:OpenHeart:Emojis = ❤️ 👍  # command line");
        lines.ShouldAllBe(line => line.Contains(" = ") && line.Contains("  # "));
        lines.Distinct().Count().ShouldBe(lines.Length);
        Directory.Exists($"{_folder.FullName}/data").ShouldBeFalse();
    }

    [Fact]
    public async Task Show_PortsAreTaken_IsNoMatter()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        foreach (var name in (string[])["--port", "--admin-port", "--grpc-port"])
            (await ShowAsync("gateway", $"{name}={port}")).ShouldContain(setting => setting.Key == Switches.All[name] && setting.Value == $"{port}" && setting.Source == "command line");
    }

    [Fact]
    public async Task Show_AsJson_IsTheSame()
    {
        var lines = await PrintAsync();
        var json = JsonSerializer.Deserialize<JsonElement>(string.Join('\n', await PrintAsync("--json")));

        json.EnumerateArray().Select(static setting => $"{setting.GetProperty("key")} = {setting.GetProperty("value").GetString() ?? "(none)"}  # {setting.GetProperty("source")}")
            .ShouldBe(lines);
    }

    /// <summary>As at the start: by the first checks, by a feature's own, by options that are validated when the host starts.</summary>
    [Theory]
    [InlineData("gateway", "--HeartGrains:Prot=1", "did you mean HeartGrains:Port?")]
    [InlineData("gateway", "--listen=nowhere", "--listen")]
    [InlineData("gateway", "--HeartGrains:Sites=nonsense", "HeartGrains:Sites")]
    [InlineData("gateway", "--HeartGrains:TrustedProxies=10.1", "HeartGrains:TrustedProxies")]
    [InlineData("gateway", "--HeartGrains:RateLimits:Policies:0:HeartCost=1000", "HeartGrains:RateLimits:Policies:0:HeartCost")]
    [InlineData("gateway", "--HeartGrains:Readers:Secret=short", "HeartGrains:Readers:Secret")]
    [InlineData("gateway", "--mode=cluster --redis=h:1,pasword=S", "Redis' address cannot be read")]
    [InlineData("silo", "--redis=", "ConnectionStrings:Redis")]
    [InlineData("silo", "--redis=h:1,pasword=S", "Redis' address cannot be read")]
    [InlineData("silo", "--postgres=Host=x;Pasword=S", "ConnectionStrings:Postgres")]
    [InlineData("silo", "--ConnectionStrings:PostgresOwner=Host=x;Pasword=S", "ConnectionStrings:PostgresOwner")]
    [InlineData("silo", "--advertised-address=here", "--advertised-address")]
    public async Task Show_WrongSetting_IsToldAsAtTheStart(string role, string wrong, string told)
    {
        var message = (await Should.ThrowAsync<StartException>(() => ShowAsync(role, wrong.Split(' ')))).Message;

        message.ShouldContain(told);
        message.ShouldNotContain("\n");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Role Named(string role) => role == "silo" ? SiloRole.Silo : Gateway;

    private static (string? Value, string Source) Of(IReadOnlyList<Setting> settings, string key)
    {
        var setting = settings.Single(setting => setting.Key == key);
        return (setting.Value, setting.Source);
    }

    private static Task<IReadOnlyList<Setting>> ShowAsync(string role, params string[] args) => ConfigShow.ReadAsync(
        Named(role), role == "silo" ? ["--key=a-key-of-sixteen-characters", "--redis=127.0.0.1:1", "--postgres=Host=127.0.0.1", .. args] : args);

    private static async Task<string[]> PrintAsync(params string[] args)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        await ConfigShow.RunAsync(Gateway, args, output);
        return output.ToString().TrimEnd('\n').Split('\n');
    }

    private static WebApplication BuildGateway(WebApplicationBuilder builder)
    {
        builder.AddGrainCalls();
        builder.AddGateway();
        var app = builder.Build();
        app.UseGateway();
        return app;
    }

    /// <summary>Lists have the entries of <c>appsettings.json</c>, or none.</summary>
    private static IEnumerable<string> KeysOf(Type type, string key)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
        {
            var name = $"{key}:{property.Name}";
            if (IsOurs(property.PropertyType)) foreach (var below in KeysOf(property.PropertyType, name)) yield return below;
            else if (property.PropertyType == typeof(string) || !typeof(IEnumerable).IsAssignableFrom(property.PropertyType)) yield return name;
            else if (name == "HeartGrains:RateLimits:Policies") foreach (var below in KeysOf(property.PropertyType.GenericTypeArguments[0], name + ":0")) yield return below;
        }
    }

    private static bool IsOurs(Type type) => !type.IsEnum && type.FullName!.StartsWith("HeartGrains.", StringComparison.Ordinal);

    /// <summary>A section of tests.</summary>
    public sealed class PeerOptions
    {
        public string? Address { get; set; }
    }
}
