using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Process;

/// <summary>Nobody is trusted by default, loopback included: no form of address gets mail through without a login.</summary>
[Collection(nameof(ProcessTests))]
public sealed class FreshServerRelaysNothingTests
{
    private static readonly (string From, string To)[] Forms =
    [
        ("<a@example.com>", "<victim@example.net>"),
        ("<a@mail.example.org>", "<victim@example.net>"),
        ("<a@localhost>", "<victim@example.net>"),
        ("<a>", "<victim@example.net>"),
        ("<>", "<victim@example.net>"),
        ("<a@[127.0.0.1]>", "<victim@example.net>"),
        ("<lisa@example.org>", "<victim@example.net>"),
        ("<a@example.com>", "<victim%example.net@mail.example.org>"),
        ("<a@example.com>", "<victim%example.net@[127.0.0.1]>"),
        ("<a@example.com>", "<\"victim@example.net\">"),
        ("<a@example.com>", "<\"victim%example.net\">"),
        ("<a@example.com>", "<victim@example.net@mail.example.org>"),
        ("<a@example.com>", "<\"victim@example.net\"@mail.example.org>"),
        ("<a@example.com>", "<victim@example.net@[127.0.0.1]>"),
        ("<a@example.com>", "<@mail.example.org:victim@example.net>"),
        ("<a@example.com>", "<@[127.0.0.1]:victim@example.net>"),
        ("<a@example.com>", "<example.net!victim>"),
        ("<a@example.com>", "<example.net!victim@mail.example.org>"),
        ("<a@example.com>", "<example.net!victim@[127.0.0.1]>"),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task None_of_nineteen_relay_forms_from_loopback_is_accepted_without_a_login(bool hasAccounts)
    {
        using var home = new PosternHome(ProcessTests.Dll, PosternHome.Configuration());
        if (hasAccounts)
            await home.AddDirectoryAsync();
        await using var server = await home.ServeAsync();
        foreach (var listener in (string[])["plain", "submission", "submissions"])
        {
            foreach (var (from, to) in Forms)
            {
                await using var dialogue = await SmtpDialogue.GreetAsync(server[listener], implicitTls: listener == "submissions");
                var sender = await dialogue.AskAsync($"MAIL FROM:{from}");
                var recipient = await dialogue.AskAsync($"RCPT TO:{to}");
                var data = await dialogue.AskAsync("DATA");

                Assert.Matches("^(250 |5[0-9][0-9] 5[.])", sender);
                Assert.Matches("^5[0-9][0-9] 5[.]", recipient);
                Assert.Matches("^5[0-9][0-9] 5[.]", data);
            }
        }

        Assert.Equal(0, (await server.StatusAsync(ProcessTests.Stop)).GetProperty("queue").GetProperty("messages").GetInt32());
    }
}
