using System.Diagnostics;
using System.Text;
using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Delivery.Aliases;

/// <summary>What stands in files of aliases and forwards, as sendmail and Postfix have them.</summary>
public sealed class AliasTableTests : IDisposable
{
    private readonly AliasRig rig = new();

    public void Dispose() => rig.Dispose();

    [Theory]
    [InlineData("root: lisa", "root@here.test", "lisa@here.test")]
    [InlineData("Root: lisa@There.test", "rOOt@HERE.test", "lisa@there.test")]
    [InlineData("root: a@x.test, b@x.test", "root@here.test", "a@x.test b@x.test")]
    [InlineData("root: a@x.test,\r\n\tb@x.test\r\n", "root@here.test", "a@x.test b@x.test")]
    [InlineData("root: a@x.test,\n# between\n\n  b@x.test,\n c@x.test\nother: d@x.test", "root@here.test", "a@x.test b@x.test c@x.test")]
    [InlineData("# root: x\nroot:a@x.test", "root@here.test", "a@x.test")]
    [InlineData("\"john doe\": a@x.test", "\"john doe\"@here.test", "a@x.test")]
    [InlineData("\"a:b\": a@x.test", "\"a:b\"@here.test", "a@x.test")]
    [InlineData("root: Lisa Simpson <lisa@x.test>, \"Doe, John\" <john@x.test>", "root@here.test", "lisa@x.test john@x.test")]
    [InlineData("root: \"a b\"@x.test", "root@here.test", "\"a b\"@x.test")]
    [InlineData("a: b\nb: c\nc: d@x.test", "a@here.test", "d@x.test")]
    [InlineData("lisa: lisa, b@x.test", "lisa@here.test", "lisa@here.test b@x.test")]
    [InlineData("lisa: \\lisa, b@x.test", "lisa@here.test", "lisa@here.test b@x.test")]
    [InlineData("a: \\b\nb: c@x.test", "a@here.test", "b@here.test")]
    [InlineData("a: b, c\nb: d@x.test\nc: d@x.test, b, e@x.test", "a@here.test", "d@x.test e@x.test")]
    [InlineData("a: b, d@x.test\nb: a", "a@here.test", "d@x.test")]
    [InlineData("a: /dev/null", "a@here.test", "")]
    [InlineData("a: /dev/null, b@x.test", "a@here.test", "b@x.test")]
    [InlineData("lisa: a@x.test", "lisa+news@here.test", "a@x.test")]
    [InlineData("lisa: a@x.test\nlisa+news: b@x.test", "lisa+news@here.test", "b@x.test")]
    [InlineData("\uFEFFa: b@x.test", "a@here.test", "b@x.test")]
    public void An_alias_stands_for(string file, string recipient, string expected) =>
        Assert.Equal(expected, Expanded(AliasRig.Read(rig.Aliases(file)), recipient));

    [Theory]
    [InlineData("a@here.test b@x.test", "a@here.test", "b@x.test")]
    [InlineData("a@here.test\tb@x.test, c@x.test", "A@HERE.TEST", "b@x.test c@x.test")]
    [InlineData("@old.test @new.test", "Lisa@old.test", "Lisa@new.test")]
    [InlineData("@old.test all@x.test\nlisa@old.test b@x.test", "lisa@old.test", "b@x.test")]
    [InlineData("@old.test all@x.test\nlisa@old.test b@x.test", "bart@old.test", "all@x.test")]
    [InlineData("@here.test all@x.test\nlisa@here.test lisa@here.test", "lisa@here.test", "lisa@here.test")]
    [InlineData("lisa@old.test b@x.test", "lisa+news@old.test", "b+news@x.test")]
    [InlineData("lisa@old.test b+own@x.test", "lisa+news@old.test", "b+own@x.test")]
    [InlineData("@old.test all@x.test\nlisa@old.test b@x.test", "lisa+news@old.test", "b+news@x.test")]
    [InlineData("lisa b@x.test", "lisa@here.test", "b@x.test")]
    [InlineData("old.test anything\na@old.test b@x.test", "a@old.test", "b@x.test")]
    public void A_forward_stands_for(string file, string recipient, string expected) =>
        Assert.Equal(expected, Expanded(AliasRig.Read(rig.Forwards(file)), recipient));

    [Theory]
    [InlineData("nobody@here.test")]
    [InlineData("root@elsewhere.test")]
    [InlineData("root@sub.here.test")]
    public void What_is_not_written_stands_for_itself(string recipient)
    {
        var table = AliasRig.Read(rig.Aliases("root: lisa@x.test"));
        Assert.False(table.Has(Mailbox.Parse(recipient)));
        Assert.Null(table.Find(Mailbox.Parse(recipient)));
    }

    [Fact]
    public void Forwards_count_before_aliases_and_an_address_before_its_domain_in_either()
    {
        var table = AliasRig.Read(rig.Aliases("lisa: by-alias@x.test\nbart: by-alias@x.test"), rig.Forwards("lisa@here.test by-forward@x.test\n@here.test by-domain@x.test"));
        Assert.Equal("by-forward@x.test", Expanded(table, "lisa@here.test"));
        Assert.Equal("by-alias@x.test", Expanded(table, "bart@here.test"));
        Assert.Equal("by-domain@x.test", Expanded(table, "maggie@here.test"));
    }

    [Fact]
    public void An_included_file_has_an_address_on_each_line()
    {
        var more = rig.Write("more", "c@x.test\n");
        var members = rig.Write("members", $"# who\na@x.test\n  b@x.test, Lisa <lisa@x.test>\n:include:{more}\n");
        var load = AliasTable.Load([rig.Aliases($"all: \":include:{members}\", d@x.test")]);
        Assert.Equal("a@x.test b@x.test lisa@x.test c@x.test d@x.test", Expanded(load.Table, "all@here.test"));
        Assert.Superset(new HashSet<string> { members, more, rig.Path("aliases") }, load.Files.Keys.ToHashSet());
    }

    [Fact]
    public void A_command_and_a_mailbox_stand_beside_addresses_where_they_are_allowed()
    {
        var table = AliasRig.Read(rig.Aliases("lisa: \\lisa, \"|/usr/bin/vacation -a x lisa\"\nbart: |\"/bin/cat -\"\nbox: /var/mail/box/", allowed: true));
        Assert.Equal("lisa@here.test lisa@here.test>pipe:/usr/bin/vacation -a x lisa", Expanded(table, "lisa@here.test"));
        Assert.Equal("bart@here.test>pipe:/bin/cat -", Expanded(table, "bart@here.test"));
        Assert.Equal("box@here.test>maildir:/var/mail/box", Expanded(table, "box@here.test"));
    }

    [Theory]
    [InlineData("root lisa", 1, "'root lisa' is not 'name: target'")]
    [InlineData(" root: lisa", 1, "a line that begins with a space goes on with the one before, and there is none")]
    [InlineData("a: b\nroot:\n", 2, "nothing stands to the right")]
    [InlineData("a: b\n\na: c", 3, "a stands in line 1 already")]
    [InlineData("a: \"b", 1, "a quote does not end")]
    [InlineData("a: b c@x.test", 1, "'b c@x.test' is not an address: commas separate addresses")]
    [InlineData("a: b@", 1, "'b@' is not an address")]
    [InlineData("a@here.test: b", 1, "'a@here.test' has a domain, which names of this file have from 'domains': it stands in a file of forwards")]
    [InlineData("john doe: b", 1, "'john doe' needs quotes, as it has a space")]
    [InlineData("a: @x.test", 1, "'@x.test' names nobody: @domain stands in a file of forwards")]
    [InlineData("a: |/bin/cat", 1, "commands are not allowed in this file: 'allow: commands' beside it, if nobody else can write to it")]
    [InlineData("a: /var/mail/a/", 1, "mailboxes are not allowed in this file: 'allow: mailboxes' beside it")]
    [InlineData("a: /var/mail/a", 1, "/var/mail/a would be a file of many messages, which is not written here: name a Maildir, with a / at its end")]
    [InlineData("a: :include:members", 1, "'members' is not an absolute path")]
    [InlineData("a: :include:/nowhere/members", 1, "/nowhere/members does not exist")]
    public void What_is_wrong_with_a_line_is_said_with_its_number(string file, int line, string words)
    {
        var problem = Assert.Single(AliasRig.Wrong(rig.Aliases(file)));
        Assert.Equal((rig.Path("aliases"), line, words), (problem.File, problem.Line, problem.Words));
    }

    [Theory]
    [InlineData("a: |cat", "'cat' is not an absolute path: no search path is used; no shell sees the command, so write a script where it needs one")]
    [InlineData("a: \"|IFS=' ' && exec /usr/bin/procmail\"", "'IFS='' is not an absolute path: no search path is used; no shell sees the command, so write a script where it needs one")]
    [InlineData("a: |/bin/cat, |/bin/true", "one name has one command or mailbox: give the second a name of its own, and name that here")]
    [InlineData("a: /var/{user}/", "/var/{user}/: braces mean nothing here")]
    public void What_is_wrong_with_a_command_or_a_mailbox_is_said(string file, string words) =>
        Assert.Equal(words, Assert.Single(AliasRig.Wrong(rig.Aliases(file, allowed: true))).Words);

    [Theory]
    [InlineData("a@here.test", 1, "'a@here.test' is not 'address target'")]
    [InlineData("a@here.test: b@x.test", 1, "'a@here.test:' ends in a colon: that is how a file of aliases is written")]
    [InlineData("a@b@c b@x.test", 1, "'a@b@c' is not user@domain, @domain or a name")]
    [InlineData("a@here.test |/bin/cat", 1, "a command stands in a file of aliases itself, and nowhere else")]
    [InlineData("a@here.test :include:/x", 1, "a file of forwards includes no other: write the addresses here, or a name that a file of aliases knows")]
    public void What_is_wrong_with_a_forward_is_said_with_its_number(string file, int line, string words)
    {
        var problem = Assert.Single(AliasRig.Wrong(rig.Forwards(file)));
        Assert.Equal((line, words), (problem.Line, problem.Words));
    }

    [Fact]
    public void An_included_file_names_neither_commands_nor_files_and_is_told_of_by_its_own_line()
    {
        var members = rig.Write("members", "a@x.test\n|/bin/cat\n");
        var problem = Assert.Single(AliasRig.Wrong(rig.Aliases($"all: :include:{members}", allowed: true)));
        Assert.Equal((members, 2, "a command stands in a file of aliases itself, and nowhere else"), (problem.File, problem.Line, problem.Words));
    }

    [Fact]
    public void A_file_that_includes_itself_is_told_of()
    {
        var members = rig.Path("members");
        rig.Write("members", $":include:{members}\n");
        Assert.Contains("10 deep", Assert.Single(AliasRig.Wrong(rig.Aliases($"all: :include:{members}"))).Words, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_mistakes_are_counted()
    {
        var problems = AliasRig.Wrong(rig.Aliases(string.Concat(Enumerable.Range(0, 100).Select(static i => $"wrong{i}\n"))));
        Assert.Equal(21, problems.Length);
        Assert.Equal("80 more mistakes like these", problems[^1].Words);
    }

    [Fact]
    public void A_file_that_is_not_there_or_not_text_is_told_of()
    {
        Assert.Equal("/nowhere/aliases does not exist", Assert.Single(AliasRig.Wrong(new AliasSource("/nowhere/aliases", AliasForm.Aliases, []))).Words);
        File.WriteAllBytes(rig.Path("latin1"), [.. "j\u00f6rg: a@x.test\n"u8[..1], 0xF6, .. "rg: a@x.test\n"u8]);
        var wrong = Assert.Single(AliasRig.Wrong(new AliasSource(rig.Path("latin1"), AliasForm.Aliases, [])));
        Assert.Equal((rig.Path("latin1"), 1, "this line is not UTF-8"), (wrong.File, wrong.Line, wrong.Words));
        rig.Write("long", $"a: b@x.test\nlist: {new string('x', 1024 * 1024)}\n");
        wrong = Assert.Single(AliasRig.Wrong(new AliasSource(rig.Path("long"), AliasForm.Aliases, [])));
        Assert.Equal((2, "this line is longer than 1 MiB"), (wrong.Line, wrong.Words));
    }

    [Theory]
    [InlineData("a: b\nb: a", "a@here.test", "it stands for names that stand for each other, in a circle")]
    [InlineData("a: b\nb: c\nc: b", "a@here.test", "it stands for names that stand for each other, in a circle")]
    public void A_circle_that_leads_nowhere_is_a_problem_and_check_knows_of_it(string file, string recipient, string why)
    {
        var table = AliasRig.Read(rig.Aliases(file));
        var expansion = Expansion(table, recipient);
        Assert.Empty(expansion.Groups);
        Assert.Equal(why, Assert.Single(expansion.Problems).Why);
        Assert.Contains(table.Circles(10), problem => problem.Line == 1 && problem.Words.Contains(why, StringComparison.Ordinal));
        Assert.Single(table.Circles(1));
    }

    [Fact]
    public void Names_behind_names_end_and_too_many_ways_do_too()
    {
        var chain = string.Concat(Enumerable.Range(0, 40).Select(static i => $"a{i}: a{i + 1}\n"));
        Assert.Contains("more than 32 names", Assert.Single(Expansion(AliasRig.Read(rig.Aliases(chain)), "a0@here.test").Problems).Why, StringComparison.Ordinal);
        Assert.Equal("a40@here.test", Expanded(AliasRig.Read(rig.Aliases(chain)), "a9@here.test"));

        // Each stands for all others: more ways than anybody can walk.
        var all = string.Join(", ", Enumerable.Range(0, 30).Select(static i => $"b{i}"));
        var entangled = string.Concat(Enumerable.Range(0, 30).Select(i => $"b{i}: {all.Replace($"b{i}, ", string.Empty, StringComparison.Ordinal).Replace($", b{i}", string.Empty, StringComparison.Ordinal)}\n"));
        Assert.Single(Expansion(AliasRig.Read(rig.Aliases(entangled)), "b0@here.test").Problems);
    }

    [Fact]
    public void A_circle_met_by_another_way_first_fails_nobody()
    {
        var table = AliasRig.Read(rig.Aliases("c: a\na: b, x@y.test\nb: a\nz: b"));
        var envelope = EnvelopeTo("c@here.test", "z@here.test");
        Assert.Empty(AliasExpansion.Of(table, envelope, [0, 1]).Problems);
    }

    [Fact]
    public void A_list_within_a_list_is_left_to_be_expanded_with_its_own_owner()
    {
        var table = AliasRig.Read(rig.Aliases("staff: sales, lisa@x.test\nowner-staff: boss@x.test\nsales: a@x.test, staff\nowner-sales: chief@x.test\nall: staff, c@x.test"));
        var staff = Assert.Single(Expansion(table, "staff@here.test").Groups);
        Assert.Equal("owner-staff@here.test", staff.Owner!.Address);
        Assert.Equal([("sales@here.test", true), ("lisa@x.test", false)], staff.Targets.Select(static t => (t.Address.Address, t.IsOpen)));

        var all = Assert.Single(Expansion(table, "all@here.test").Groups);
        Assert.Null(all.Owner);
        Assert.Equal([("staff@here.test", true), ("c@x.test", false)], all.Targets.Select(static t => (t.Address.Address, t.IsOpen)));

        // Where it came through says that staff has been expanded.
        var sales = EnvelopeTo("sales@here.test") with { Expanded = new Expansion(default, [Mailbox.Parse("staff@here.test")]) { Open = [0] } };
        Assert.Equal(["a@x.test"], Assert.Single(AliasExpansion.Of(table, sales, [0]).Groups).Targets.Select(static t => t.Address.Address));
    }

    [Fact]
    public void A_report_to_a_list_keeps_the_null_path_and_is_expanded_at_once()
    {
        var table = AliasRig.Read(rig.Aliases("staff: sales\nowner-staff: boss@x.test\nsales: a@x.test\nowner-sales: chief@x.test"));
        var envelope = EnvelopeTo("staff@here.test");
        var group = Assert.Single(AliasExpansion.Of(table, envelope with { Said = envelope.Said with { Sender = ReversePath.Null } }, [0]).Groups);
        Assert.Null(group.Owner);
        Assert.Equal(["a@x.test"], group.Targets.Select(static t => t.Address.Address));
    }

    [Fact]
    public void Nobody_gets_a_message_twice_whichever_ways_lead_to_him()
    {
        var table = AliasRig.Read(rig.Aliases("a: lisa@x.test, b\nb: bart@x.test, lisa@x.test\nstaff: lisa@x.test, homer@x.test, direct@x.test\nowner-staff: boss@x.test"));
        var expansion = AliasExpansion.Of(table, EnvelopeTo("a@here.test", "b@here.test", "staff@here.test", "direct@x.test"), [0, 1, 2]);
        Assert.Equal(
            ["bart@x.test", "homer@x.test", "lisa@x.test"],
            expansion.Groups.SelectMany(static g => g.Targets).Select(static t => t.Address.Address).Order(StringComparer.Ordinal));
        Assert.Equal(2, expansion.Groups.Length);
        Assert.Empty(expansion.Problems);
    }

    [Fact]
    public void A_million_lines_are_read_once_and_asked_in_no_time()
    {
        const int Lines = 1_000_000;
        var text = new StringBuilder(50 * Lines);
        for (var i = 0; i < Lines; i++)
            text.Append("user").Append(i).Append("@example.test\tmailbox").Append(i).Append("@store").Append(i % 100).Append(".example.test\n");
        var source = rig.Forwards(text.ToString());
        text.Clear();
        var begun = Stopwatch.StartNew();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var table = AliasRig.Read(source);
        var read = begun.Elapsed;
        var held = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1024 / 1024;
        TestContext.Current.SendDiagnosticMessage("{0} ms, {1} MiB", read.TotalMilliseconds, held);

        Assert.Equal(Lines, table.Sources[0].Names);
        Assert.Equal("mailbox999999@store99.example.test", Expanded(table, "user999999@example.test"));
        Assert.Null(table.Find(Mailbox.Parse("user1000000@example.test")));
        Assert.InRange(held, 40, 130);
    }

    private static AliasExpansion Expansion(AliasTable table, string recipient) => AliasExpansion.Of(table, EnvelopeTo(recipient), [0]);

    private static string Expanded(AliasTable table, string recipient)
    {
        var expansion = Expansion(table, recipient);
        Assert.Empty(expansion.Problems);
        return string.Join(' ', expansion.Groups.SelectMany(static g => g.Targets).Select(t => t.IsPlace ? $"{t.Address.Address}>{table.HopOf(t.Address).Name}" : t.Address.Address));
    }

    private static Envelope EnvelopeTo(params string[] recipients) => new()
    {
        Id = default,
        ArrivedAt = default,
        Said = new(new ReversePath(Mailbox.Parse("a@sender.test")), [.. recipients.Select(Mailbox.Parse)]),
    };
}
