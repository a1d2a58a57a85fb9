using Postern.Relay.Admin;
using Postern.Sasl;
using Postern.Web.Access;

namespace Postern.Web.Tests.Access;

/// <summary>From the code on the terminal to an operator with a password and an authenticator.</summary>
public sealed class InvitationTests : IDisposable
{
    private readonly AccessRig rig = new();

    public void Dispose() => rig.Dispose();

    [Fact]
    public async Task Whoever_has_the_code_becomes_what_it_says_and_can_sign_in()
    {
        Assert.False(rig.Queries.HasOwner());
        var lisa = rig.Add("Lisa");

        var operators = rig.Queries.Operators();
        var only = Assert.Single(operators.Operators);
        Assert.Equal(("lisa", "owner", null, true, true), (only.Name, only.Role, only.Tenant, only.Enabled, only.HasPassword));
        Assert.Empty(operators.Invitations);
        Assert.True(rig.Queries.HasOwner());
        var caller = await rig.FindAsync(await rig.SignInAsync(lisa));
        Assert.Equal(("lisa", Role.Owner.Scopes, null, "192.0.2.7"), (caller!.Name, caller.Scopes, caller.Tenant, caller.Client));
        Assert.Equal(rig.Clock.GetUtcNow(), caller.ProvedAt);
    }

    [Fact]
    public async Task Who_is_of_a_tenant_sees_that_tenant()
    {
        var bart = rig.Add("bart", Role.TenantViewer, "Acme");
        var caller = await rig.FindAsync(await rig.SignInAsync(bart));
        Assert.Equal(("acme", Role.TenantViewer.Scopes), (caller!.Tenant, caller.Scopes));
    }

    [Fact]
    public void A_code_counts_once()
    {
        var code = rig.Invite();
        var totp = rig.Commands.Operators.Look(code)!.Totp;
        Assert.IsType<AdminOutcome.Done>(Enrol(code, "lisa", totp));

        Assert.Null(rig.Commands.Operators.Look(code));
        Assert.Contains("the code is not good", Assert.IsType<AdminOutcome.Invalid>(Enrol(code, "bart", totp)).Message, StringComparison.Ordinal);
        Assert.Single(rig.Queries.Operators().Operators);
    }

    [Fact]
    public async Task A_code_that_eight_take_at_once_counts_for_one_of_them()
    {
        var code = rig.Invite();
        var totp = rig.Commands.Operators.Look(code)!.Totp;

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => Enrol(code, $"person{i}", totp), AccessRig.Ct)));

        Assert.Single(outcomes, static outcome => outcome is AdminOutcome.Done);
        Assert.Single(rig.Queries.Operators().Operators);
    }

    [Fact]
    public void A_code_is_over_after_a_quarter_of_an_hour()
    {
        var code = rig.Invite();
        var totp = rig.Commands.Operators.Look(code)!.Totp;
        rig.Clock.Advance(OperatorCommands.InvitationLife);

        Assert.IsType<AdminOutcome.Invalid>(Enrol(code, "lisa", totp));
        Assert.Empty(rig.Queries.Operators().Operators);
        Assert.Empty(rig.Queries.Operators().Invitations);
    }

    [Fact]
    public void What_is_wrong_with_the_rest_is_said_and_the_code_stays_good()
    {
        rig.Add("lisa");
        var code = rig.Invite(Role.Viewer);
        var totp = rig.Commands.Operators.Look(code)!.Totp;
        Assert.Contains("there is an operator lisa already", Enrol(code, "LISA", totp).Message, StringComparison.Ordinal);
        Assert.Contains("without spaces", Enrol(code, "uid 0", totp).Message, StringComparison.Ordinal);
        Assert.Contains("without spaces", Enrol(code, "", totp).Message, StringComparison.Ordinal);
        Assert.Contains("without spaces", Enrol(code, new string('x', 65), totp).Message, StringComparison.Ordinal);
        Assert.Contains("too short", Enrol(code, "bart", totp, "short one").Message, StringComparison.Ordinal);
        Assert.Contains("one-time code is not right", rig.Commands.Operators.Enrol(new EnrolOperator(code, "bart", new Secret(AccessRig.Password), "000 00x")).Message, StringComparison.Ordinal);

        // As people copy it: without the hyphens, in capitals, with spaces around it.
        Assert.IsType<AdminOutcome.Done>(Enrol($" {code.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant()} ", "bart", totp));
    }

    [Fact]
    public async Task A_reset_ends_everything_at_once_and_keeps_name_and_role()
    {
        rig.Add("marge");
        var lisa = rig.Add("lisa", Role.Operator);
        var cookie = await rig.SignInAsync(lisa);
        var code = Assert.IsType<Invited>(rig.Commands.Operators.Reset("lisa")).Code.Reveal();

        Assert.Null(await rig.FindAsync(cookie));
        rig.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.IsType<SignInAnswer.No>(await rig.TryAsync("lisa", AccessRig.Password, rig.CodeOf(lisa)));
        var invitation = rig.Commands.Operators.Look(code)!;
        Assert.Equal(("lisa", "operator"), (invitation.Operator, invitation.Role));
        Assert.IsType<AdminOutcome.Done>(Enrol(code, "somebody else", invitation.Totp, "another walnut lantern"));
        rig.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.IsType<SignInAnswer.No>(await rig.TryAsync("lisa", AccessRig.Password, OneTimeCode.Of(invitation.Totp, rig.Clock.GetUtcNow())));
        Assert.IsType<SignInAnswer.Welcome>(await rig.TryAsync("lisa", "another walnut lantern", OneTimeCode.Of(invitation.Totp, rig.Clock.GetUtcNow())));
        Assert.Equal(["lisa", "marge"], rig.Queries.Operators().Operators.Select(static one => one.Name));
    }

    [Fact]
    public void Another_reset_makes_the_code_of_the_first_useless()
    {
        rig.Add("lisa");
        var first = Assert.IsType<Invited>(rig.Commands.Operators.Reset("lisa")).Code.Reveal();
        Assert.IsType<Invited>(rig.Commands.Operators.Reset("lisa"));
        Assert.Null(rig.Commands.Operators.Look(first));
    }

    [Theory]
    [InlineData("there is no role 'ovner'; did you mean 'owner'?", "ovner", null)]
    [InlineData("is of a tenant; say which: --tenant", "tenant-viewer", null)]
    [InlineData("an owner is of the whole server", "owner", "acme")]
    [InlineData("cannot be a tenant", "tenant-viewer", "a b")]
    public void Roles_that_make_no_sense_are_refused(string problem, string role, string? tenant) =>
        Assert.Contains(problem, Assert.IsType<AdminOutcome.Invalid>(rig.Commands.Operators.Invite(role, tenant)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("correct horse battery staple")]
    [InlineData("Password12345!")]
    [InlineData("qwertyuiop1234567890")]
    [InlineData("abcdefghijklmnop")]
    [InlineData("9876543210987654")]
    [InlineData("aaaaaaaaaaaaaaab")]
    [InlineData("hunter2hunter2hunter2")]
    [InlineData("maggiesimpson1")]
    [InlineData("elevenchars")]
    public void Passwords_that_are_tried_first_are_refused_and_not_quoted(string password)
    {
        var problem = OperatorPasswords.Problem(new Secret(password), "maggiesimpson");
        Assert.NotNull(problem);
        Assert.DoesNotContain(password, problem, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(AccessRig.Password)]
    [InlineData("kY7#vq!mR2pL")]
    [InlineData("der alte Leuchtturm")]
    public void Others_are_good(string password) => Assert.Null(OperatorPasswords.Problem(new Secret(password), "lisa"));

    private AdminOutcome Enrol(string code, string name, byte[] totp, string password = AccessRig.Password) =>
        rig.Commands.Operators.Enrol(new EnrolOperator(code, name, new Secret(password), OneTimeCode.Of(totp, rig.Clock.GetUtcNow())));
}
