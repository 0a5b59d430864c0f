using HeartGrains.Gateway;
using HeartGrains.Hosting;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Tests.Hosting;

public class SwitchesTests
{
    [Theory]
    [InlineData("--prot=8080", "There is no switch --prot; did you mean --port?")]
    [InlineData("--modes", "There is no switch --modes; did you mean --mode?")]
    [InlineData("extra", "'extra' is no switch: write --name=value.")]
    [InlineData("--postgress=x", "There is no switch --postgress; did you mean --postgres?")]
    public void Check_UnknownSwitch_NamesTheNearest(string arg, string message) =>
        Should.Throw<StartException>(() => Switches.Check([arg])).Message.ShouldBe(message);

    [Theory]
    [InlineData("--data", "--data", "--mode=dev")]
    [InlineData("--data", "--mode", "dev", "--data", "--port=8080")]
    [InlineData("--port", "--mode=dev", "--port")]
    [InlineData("--HeartGrains:Port", "--HeartGrains:Port")]
    public void Check_SwitchWithoutAValue_IsNamed(string name, params string[] args) =>
        Should.Throw<StartException>(() => Switches.Check(args)).Message.ShouldBe($"The switch {name} has no value: write {name}=value.");

    [Theory]
    [InlineData("--HeartGrain:Port=1", "Nothing reads the setting HeartGrain:Port; did you mean HeartGrains:Port?")]
    [InlineData("--Loging:LogLevel:Default=Debug", "Nothing reads the setting Loging:LogLevel:Default; did you mean Logging:LogLevel:Default?")]
    public void Check_SectionThatNobodyReads_NamesTheNearest(string arg, string message) =>
        Should.Throw<StartException>(() => Switches.Check([arg])).Message.ShouldBe(message);

    [Fact]
    public void Check_KnownSwitchesAndWholeKeys_Pass() => Switches.Check(
        ["--port=8080", "--MODE", "dev", "--HeartGrains:Hearts:DedupeLimit=16", "--data=", "--logging:loglevel:default", "Debug", "--ConnectionStrings:Redis=x"]);

    [Fact]
    public void All_EverySwitch_ReachesASettingThatExists()
    {
        var known = Switches.All.Values.Where(key => key.StartsWith("HeartGrains:", StringComparison.Ordinal));
        foreach (var key in known)
        {
            var names = key.Split(':')[1..];
            var isFeature = GatewayHosting.Features.TryGetValue(names[0], out var type);
            type ??= typeof(HostSettings);
            foreach (var name in isFeature ? names[1..] : names)
                type = type.GetProperty(name).ShouldNotBeNull(key).PropertyType;
        }

        var args = Switches.All.Keys.Select(name => $"{name}=value-of{name}").ToArray();
        var configuration = new ConfigurationBuilder().AddCommandLine(args, Switches.All.ToDictionary()).Build();
        foreach (var (name, key) in Switches.All) configuration[key].ShouldBe($"value-of{name}");
    }

    [Fact]
    public void Of_KeyWithoutASwitch_IsTheKeyItself()
    {
        Switches.Of("heartgrains:port").ShouldBe("--port");
        Switches.Of("HeartGrains:Hearts:DedupeLimit").ShouldBe("--HeartGrains:Hearts:DedupeLimit");
    }
}
