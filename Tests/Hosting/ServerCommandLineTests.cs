using HeartGrains.Hosting;

namespace HeartGrains.Tests.Hosting;

public class ServerCommandLineTests
{
    private static readonly Role[] Roles = [Role("gateway"), Role("silo")];

    [Theory]
    [InlineData("gateway", null, "")]
    [InlineData("gateway", null, "--port=1", "--port=1")]
    [InlineData("gateway", null, "--port 1", "--port", "1")]
    [InlineData("silo", null, "--port=1", "silo", "--port=1")]
    [InlineData("silo", null, "", "SILO")]
    [InlineData("silo", "config show", "--port=1", "silo", "config", "show", "--port=1")]
    [InlineData("gateway", "config show", "--json", "config", "show", "--json")]
    [InlineData("gateway", "help", "", "help")]
    [InlineData("gateway", "help", "-h", "-h")]
    [InlineData("silo", "help", "--help", "silo", "--help")]
    [InlineData("gateway", "version", "--version", "--version")]
    public void Read_WordsInFront_AreRoleAndCommand(string role, string? command, string switches, params string[] args)
    {
        var line = ServerCommandLine.Read(args, Roles);

        (line.Role.Name, line.Command, string.Join(' ', line.Switches)).ShouldBe((role, command, switches));
    }

    [Theory]
    [InlineData("There is no role or command 'sillo'; did you mean silo? --help lists them.", "sillo")]
    [InlineData("There is no role or command 'config'; did you mean config show? --help lists them.", "silo", "config")]
    [InlineData("There is no role or command 'silo gateway'; did you mean gateway? --help lists them.", "silo", "silo", "gateway")]
    public void Read_UnknownWord_NamesTheNearest(string message, params string[] args)
    {
        var told = Should.Throw<StartException>(() => ServerCommandLine.Read(args, Roles)).Message;

        if (args is [_, _, _]) told.ShouldStartWith("There is no role or command 'silo gateway'");
        else told.ShouldBe(message);
    }

    [Fact]
    public void HelpText_Always_NamesEveryRoleCommandAndSwitch()
    {
        var text = HelpText.Of(Roles);

        foreach (var word in Roles.Select(role => role.Name).Concat(ServerCommandLine.Commands.Keys).Concat(Switches.All.Keys)) text.ShouldContain($"\n  {word} ");
    }

    private static Role Role(string name) => new(name, "of a test", DefaultPort: 0, GrainHosting.Features, static builder => builder.Build());
}
