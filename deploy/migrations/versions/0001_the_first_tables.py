"""The first tables"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = '0001'
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table('comparisons',
    sa.Column('comparison_id', sa.String(length=40), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('use_case', sa.String(length=64), nullable=False),
    sa.Column('summary', sa.JSON(), nullable=False),
    sa.Column('outcomes', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('comparison_id')
    )
    with op.batch_alter_table('comparisons', schema=None) as batch_op:
        batch_op.create_index('comparisons_by_use_case', ['tenant', 'use_case', 'created_at'], unique=False)

    op.create_table('files',
    sa.Column('file_id', sa.String(length=40), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('filename', sa.String(length=512), nullable=False),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('file_id')
    )
    op.create_table('jobs',
    sa.Column('job_id', sa.String(length=40), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('lane', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('sequence', sa.Float(), nullable=False),
    sa.Column('args', sa.JSON(), nullable=False),
    sa.Column('payload', sa.LargeBinary(), nullable=True),
    sa.Column('progress', sa.JSON(), nullable=False),
    sa.Column('result', sa.JSON(), nullable=True),
    sa.Column('error', sa.JSON(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('worker', sa.String(length=64), nullable=True),
    sa.Column('lease_until', sa.Float(), nullable=True),
    sa.Column('cancel_asked', sa.Integer(), nullable=False),
    sa.Column('idempotency_key', sa.String(length=255), nullable=True),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.Column('updated_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('job_id'),
    sa.UniqueConstraint('idempotency_key')
    )
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.create_index('jobs_by_lane', ['lane', 'status', 'sequence'], unique=False)

    op.create_table('records',
    sa.Column('request_id', sa.String(length=64), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('use_case', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.Column('strategy', sa.String(length=16), nullable=False),
    sa.Column('model', sa.String(length=200), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('decision', sa.JSON(), nullable=False),
    sa.Column('usage', sa.JSON(), nullable=False),
    sa.Column('timings_ms', sa.JSON(), nullable=False),
    sa.Column('question', sa.Text(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('request_id')
    )
    with op.batch_alter_table('records', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_records_created_at'), ['created_at'], unique=False)

    op.create_table('use_cases',
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('use_case_id', sa.String(length=64), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('updated_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'use_case_id')
    )
    op.create_table('kb_bases',
    sa.Column('pk', sa.Integer(), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('base_id', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=256), nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('pk'),
    sa.UniqueConstraint('tenant', 'base_id'),
    sqlite_autoincrement=True
    )
    op.create_table('kb_documents',
    sa.Column('pk', sa.Integer(), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('base_pk', sa.Integer(), nullable=False),
    sa.Column('document_id', sa.String(length=64), nullable=False),
    sa.Column('external_id', sa.String(length=512), nullable=False),
    sa.Column('active_version', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['base_pk'], ['kb_bases.pk'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('pk'),
    sa.UniqueConstraint('base_pk', 'external_id'),
    sa.UniqueConstraint('document_id'),
    sqlite_autoincrement=True
    )
    op.create_table('kb_indexes',
    sa.Column('pk', sa.Integer(), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('base_pk', sa.Integer(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('collection', sa.String(length=128), nullable=False),
    sa.Column('embedding_model', sa.String(length=256), nullable=False),
    sa.Column('embedding_revision', sa.String(length=128), nullable=False),
    sa.Column('dimension', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('removed', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['base_pk'], ['kb_bases.pk'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('pk'),
    sa.UniqueConstraint('collection'),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('kb_indexes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kb_indexes_base_pk'), ['base_pk'], unique=False)

    op.create_table('kb_versions',
    sa.Column('pk', sa.Integer(), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('base_pk', sa.Integer(), nullable=False),
    sa.Column('document_pk', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('change', sa.String(length=16), nullable=True),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('filename', sa.String(length=512), nullable=False),
    sa.Column('format', sa.String(length=16), nullable=False),
    sa.Column('encoding', sa.String(length=32), nullable=True),
    sa.Column('attributes', sa.JSON(), nullable=False),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.Column('chars', sa.Integer(), nullable=False),
    sa.Column('tokens', sa.Integer(), nullable=False),
    sa.Column('chunks', sa.Integer(), nullable=False),
    sa.Column('chunking', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.Column('activated_at', sa.Float(), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['base_pk'], ['kb_bases.pk'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['document_pk'], ['kb_documents.pk'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('pk'),
    sa.UniqueConstraint('document_pk', 'version'),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('kb_versions', schema=None) as batch_op:
        batch_op.create_index('kb_versions_by_change', ['base_pk', 'activated_at'], unique=False)

    op.create_table('kb_attributes',
    sa.Column('version_pk', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('value', sa.String(length=1024), nullable=False),
    sa.ForeignKeyConstraint(['version_pk'], ['kb_versions.pk'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('version_pk', 'key')
    )
    with op.batch_alter_table('kb_attributes', schema=None) as batch_op:
        batch_op.create_index('kb_attributes_by_value', ['key', 'value'], unique=False)

    op.create_table('kb_chunks',
    sa.Column('pk', sa.Integer(), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('base_pk', sa.Integer(), nullable=False),
    sa.Column('document_pk', sa.Integer(), nullable=False),
    sa.Column('version_pk', sa.Integer(), nullable=False),
    sa.Column('chunk_id', sa.String(length=64), nullable=False),
    sa.Column('ordinal', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('start', sa.Integer(), nullable=False),
    sa.Column('end', sa.Integer(), nullable=False),
    sa.Column('page', sa.Integer(), nullable=True),
    sa.Column('heading', sa.Text(), nullable=False),
    sa.Column('tokens', sa.Integer(), nullable=False),
    sa.Column('vector', sa.LargeBinary(), nullable=False),
    sa.Column('index_pk', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['base_pk'], ['kb_bases.pk'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['document_pk'], ['kb_documents.pk'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['version_pk'], ['kb_versions.pk'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('pk'),
    sa.UniqueConstraint('chunk_id'),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('kb_chunks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kb_chunks_version_pk'), ['version_pk'], unique=False)
        batch_op.create_index('kb_chunks_by_index', ['base_pk', 'index_pk'], unique=False)

    op.create_table('adapter_adapters',
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('adapter_id', sa.String(length=128), nullable=False),
    sa.Column('task', sa.String(length=64), nullable=False),
    sa.Column('base_model', sa.String(length=256), nullable=False),
    sa.Column('base_revision', sa.String(length=128), nullable=False),
    sa.Column('folder', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('context_trained', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('run', sa.JSON(), nullable=False),
    sa.Column('metrics', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.Column('published_at', sa.Float(), nullable=True),
    sa.PrimaryKeyConstraint('tenant', 'adapter_id')
    )
    with op.batch_alter_table('adapter_adapters', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_adapter_adapters_task'), ['task'], unique=False)

    op.create_table('adapter_aliases',
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('task', sa.String(length=64), nullable=False),
    sa.Column('adapter_id', sa.String(length=128), nullable=True),
    sa.Column('previous_adapter_id', sa.String(length=128), nullable=True),
    sa.Column('updated_at', sa.Float(), nullable=False),
    sa.Column('history', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('tenant', 'task')
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS kb_lexical USING fts5("
            "scope, title, heading, body, tokenize='porter unicode61 remove_diacritics 2')"
        )


def downgrade() -> None:
    """Take this step back."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE IF EXISTS kb_lexical")
    op.drop_table('adapter_aliases')
    with op.batch_alter_table('adapter_adapters', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_adapter_adapters_task'))

    op.drop_table('adapter_adapters')
    with op.batch_alter_table('kb_chunks', schema=None) as batch_op:
        batch_op.drop_index('kb_chunks_by_index')
        batch_op.drop_index(batch_op.f('ix_kb_chunks_version_pk'))

    op.drop_table('kb_chunks')
    with op.batch_alter_table('kb_attributes', schema=None) as batch_op:
        batch_op.drop_index('kb_attributes_by_value')

    op.drop_table('kb_attributes')
    with op.batch_alter_table('kb_versions', schema=None) as batch_op:
        batch_op.drop_index('kb_versions_by_change')

    op.drop_table('kb_versions')
    with op.batch_alter_table('kb_indexes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_kb_indexes_base_pk'))

    op.drop_table('kb_indexes')
    op.drop_table('kb_documents')
    op.drop_table('kb_bases')
    op.drop_table('use_cases')
    with op.batch_alter_table('records', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_records_created_at'))

    op.drop_table('records')
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.drop_index('jobs_by_lane')

    op.drop_table('jobs')
    op.drop_table('files')
    with op.batch_alter_table('comparisons', schema=None) as batch_op:
        batch_op.drop_index('comparisons_by_use_case')

    op.drop_table('comparisons')
