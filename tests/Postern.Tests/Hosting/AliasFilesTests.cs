using Postern.Commands.Output;

namespace Postern.Tests.Hosting;

/// <summary>Files of aliases and forwards as an operator meets them: named, checked, changed under a running server, asked about.</summary>
public sealed class AliasFilesTests : IAsyncDisposable
{
    private const string Named = LiveServer.Listeners + "domains: [mail.example.org, old.example.org]\ndelivery:\n  aliases: [aliases]\n  forwards: [{ file: forwards }]\n  routes: [{ to: '*', via: 'smtp://127.0.0.1:1' }]\n";

    private readonly LiveServer server = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Status => string.Join('\n', server.Host.Status().Configuration!.Problems);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Check_says_which_line_of_which_file_is_wrong_and_otherwise_how_many_names_there_are()
    {
        await WriteAsync("aliases", "root: lisa\nwrong\n");
        await WriteAsync("forwards", "a@old.example.org b@example.net\n");
        await server.WriteAsync(Named);
        var wrong = await server.Run.PosternAsync("check");
        Assert.Equal(ExitCode.Usage, wrong.ExitCode);
        Assert.Contains($"{PathOf("aliases")}:2:1: delivery.aliases[0].file: 'wrong' is not 'name: target'", wrong.Error, StringComparison.Ordinal);

        await WriteAsync("aliases", "ring: round\nround: ring\n");
        var right = await server.Run.PosternAsync("check");
        Assert.Equal(ExitCode.Ok, right.ExitCode);
        Assert.Contains($"warning: {PathOf("aliases")}:1:1: delivery.aliases[0].file: mail to ring@mail.example.org fails: ", right.Error, StringComparison.Ordinal);
        Assert.Matches("aliases +.*/aliases, 2 names", right.Output);
        Assert.Matches("forwards +.*/forwards, 1 name\n", right.Output);

        File.Delete(PathOf("forwards"));
        Assert.Contains($"postern.yaml:6:22: delivery.forwards[0].file: {PathOf("forwards")} does not exist", (await server.Run.PosternAsync("check")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_may_name_commands_and_is_open_to_others_is_told_of()
    {
        await WriteAsync("aliases", "root: \"|/bin/cat -\"\n");
        File.SetUnixFileMode(PathOf("aliases"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite);
        await server.WriteAsync(LiveServer.Listeners + "delivery: { aliases: [{ file: aliases, allow: [commands] }], routes: [{ to: '*' }] }\n");
        Assert.Contains("others than its owner can write to it", (await server.Run.PosternAsync("check")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_changes_is_taken_with_what_it_includes_and_one_with_a_mistake_is_not()
    {
        await WriteAsync("members", "a@example.net\n");
        await WriteAsync("aliases", $"staff: :include:{PathOf("members")}\n");
        await WriteAsync("forwards", "@old.example.org @mail.example.org\n");
        await server.StartAsync(Named);
        Assert.Equal(["a@example.net"], await TargetsAsync("staff@mail.example.org"));

        await WriteAsync("members", "a@example.net\nb@example.net\n");
        await UntilAsync(() => server.Notes.Any(static n => n.Contains("delivery.aliases[0].file", StringComparison.Ordinal)));
        Assert.DoesNotContain(server.Notes, static n => n.Contains("delivery.forwards", StringComparison.Ordinal));
        Assert.Equal(["a@example.net", "b@example.net"], await TargetsAsync("staff@mail.example.org"));
        Assert.Equal(["a@example.net", "b@example.net"], await TargetsAsync("staff@old.example.org"));

        await WriteAsync("members", "a@example.net\nb c\n");
        await UntilAsync(() => Status.Length > 0);
        Assert.Contains($"{PathOf("members")}:2:1: delivery.aliases[0].file: 'b c' is not an address: commas separate addresses", Status, StringComparison.Ordinal);
        Assert.Equal(["a@example.net", "b@example.net"], await TargetsAsync("staff@mail.example.org"));
    }

    [Fact]
    public async Task Explain_says_what_an_address_stands_for_and_where_each_of_them_goes()
    {
        await WriteAsync("aliases", "staff: a@example.net, b@example.net\nowner-staff: lisa\nring: ring2\nring2: ring\nnobody: /dev/null\n");
        await WriteAsync("forwards", "c@old.example.org d@example.net\n");
        await server.WriteAsync(Named);

        var list = await ExplainAsync("staff@mail.example.org");
        Assert.Contains($"it is a list of 2, by {PathOf("aliases")}:1; reports go to owner-staff@mail.example.org", list, StringComparison.Ordinal);
        Assert.Matches("b@example.net +127.0.0.1:1", list);
        Assert.Contains($"it stands for another address, by {PathOf("forwards")}:1", await ExplainAsync("c@old.example.org"), StringComparison.Ordinal);
        Assert.Contains("it fails: it stands for names that stand for each other, in a circle", await ExplainAsync("ring@mail.example.org"), StringComparison.Ordinal);
        Assert.Contains("it is thrown away", await ExplainAsync("nobody@mail.example.org"), StringComparison.Ordinal);
        Assert.Contains("it goes to 127.0.0.1:1, by route *", await ExplainAsync("lisa@mail.example.org"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_the_rule_stands_a_name_that_nothing_knows_is_refused_and_explain_says_why()
    {
        await WriteAsync("aliases", "staff: a@example.net\n");
        await WriteAsync("forwards", "@old.example.org @mail.example.org\n");
        await server.StartAsync(Named + "rules: { recipient: [reject_unlisted_recipient, permit_authenticated, reject_unauth_destination] }\n");
        await using var session = await server.ConnectAsync();
        await session.SayAsync("MAIL FROM:<x@example.com>", "250");
        await session.SayAsync("RCPT TO:<nobody@mail.example.org>", "550 5.1.1 <nobody@mail.example.org>: Recipient address rejected: there is no such mailbox here (ref ");
        await session.SayAsync("RCPT TO:<staff@mail.example.org>", "250");
        await session.SayAsync("RCPT TO:<anybody@old.example.org>", "250");
        await session.SayAsync("RCPT TO:<boss@mail.example.org>", "550 5.1.1 ");
        await server.Run.PosternAsync("account", "add", "scott", "--address", "boss@mail.example.org");
        await session.SayAsync("RCPT TO:<boss@mail.example.org>", "250");

        var told = await ExplainAsync("nobody@mail.example.org");
        Assert.Contains("no account has nobody@mail.example.org, and no alias, forward, list or route names it", told, StringComparison.Ordinal);
        Assert.Contains("postern account add nobody@mail.example.org, or a line for it in a file of delivery.forwards", told, StringComparison.Ordinal);
        Assert.Contains($"staff@mail.example.org stands in {PathOf("aliases")}:1", await ExplainAsync("staff@mail.example.org"), StringComparison.Ordinal);
    }

    private static string[] Question(string to) => ["explain", "--client", "192.0.2.7", "--from", "x@example.com", "--to", to];

    private string PathOf(string name) => Path.Combine(server.Run.Root, name);

    private Task WriteAsync(string name, string text) => File.WriteAllTextAsync(PathOf(name), text, Cancelled);

    private async Task<string> ExplainAsync(string to) => (await server.Run.PosternAsync(Question(to))).Output;

    private async Task<string[]> TargetsAsync(string to) =>
        [.. (await server.Run.JsonAsync(Question(to))).GetProperty("expansion").GetProperty("targets").EnumerateArray().Select(static t => t.GetProperty("address").GetString()!)];

    /// <summary>A look every three seconds sees a change, and the one behind it that it has settled.</summary>
    private async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!isSo())
        {
            Assert.False(patience.IsCancellationRequested, "it does not come to it");
            server.Clock.Advance(TimeSpan.FromSeconds(3));
            await Task.Delay(TimeSpan.FromMilliseconds(20), Cancelled);
        }
    }
}
