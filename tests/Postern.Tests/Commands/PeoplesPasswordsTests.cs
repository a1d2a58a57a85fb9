using Postern.Commands.Output;

namespace Postern.Tests.Commands;

/// <summary>Passwords that people have, from the command that sets them to a login by every mechanism, both halves of it being postern's.</summary>
public sealed class PeoplesPasswordsTests
{
    public static TheoryData<string, string> Passwords()
    {
        var data = new TheoryData<string, string>();
        foreach (var form in new[] { "shared", "scram-sha-256", "digest-md5" })
        {
            foreach (var password in new[]
            {
                "\U0001f600\U0001f984\u2764\ufe0f\U0001f44d\U0001f3fd-1234",
                "\u05e1\u05d9\u05e1\u05de\u05d4-12345",
                "1234 \u0643\u0644\u0645\u0629 \u0627\u0644\u0633\u0631 abc",
                "\u0643\u0644\u0645\u0629\u0661\u0662\u0663\u0664\u0665",
                "\U0001f468\u200d\U0001f469\u200d\U0001f467-family",
                "nai\u0308ve\u00a0pa\u00dfwort",
            })
                data.Add(form, password);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Passwords))]
    public async Task A_password_that_people_have_is_set_and_used_by_every_mechanism(string form, string password)
    {
        string[] able = form switch
        {
            "shared" => ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"],
            "digest-md5" => ["DIGEST-MD5", "PLAIN", "LOGIN"],
            _ => ["SCRAM-SHA-256", "PLAIN", "LOGIN"],
        };
        using var run = new CommandRun($$"""
            server: { hostname: mail.example.org, data: data }
            listeners: [{ name: in, listen: "127.0.0.1:0", mechanisms: [{{string.Join(", ", able)}}] }]

            """);
        await run.PosternAsync("account", "add", "lisa");

        var added = await run.WithInputAsync(password + "\n", "credential", "add", "lisa", "--password-stdin", "--form", form);
        Assert.Equal((ExitCode.Ok, string.Empty), (added.ExitCode, added.ExitCode == ExitCode.Ok ? string.Empty : added.Error));

        var right = System.Text.Json.JsonDocument.Parse((await run.WithInputAsync(password + "\n", "auth", "test", "lisa", "--json")).Output).RootElement.GetProperty("attempts").EnumerateArray();
        Assert.Equal(able.Order(StringComparer.Ordinal), right.Where(static a => a.GetProperty("ok").GetBoolean()).Select(static a => a.GetProperty("mechanism").GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal(ExitCode.No, (await run.WithInputAsync(password + "x\n", "auth", "test", "lisa")).ExitCode);
    }
}
